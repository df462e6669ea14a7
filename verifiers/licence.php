<?php
/**
 * Verify a licence file offline. Needs PHP 7.2 or later with sodium, which is part of it.
 *
 *     $licence = troth_verify(file_get_contents('licence.json'), '<the shop\'s public key, base64>');
 *
 * gives its fields, or throws RuntimeException. The key stands at /.well-known/licence-key.json of the shop: put it into
 * your program, do not fetch it. The format is a DSSE envelope spelled in one way only, signed with Ed25519
 * (docs/licences.md). Whether `updates_until`, `packages` or `instance` fit is for your program to say. Apache-2.0.
 */

declare(strict_types=1);

const TROTH_TYPE = 'application/vnd.troth.licence+json';
const TROTH_SPELLING = '~\A\{"payload":"([A-Za-z0-9+/]{4,65000}={0,2})",'
    . '"payloadType":"application/vnd\.troth\.licence\+json",'
    . '"signatures":\[\{"keyid":"([0-9a-f]{16})","sig":"([A-Za-z0-9+/]{86}==)"\}\]\}\n\z~D';

function troth_verify(string $file, string $publicKey): array
{
    if (preg_match(TROTH_SPELLING, $file, $found) !== 1) {
        throw new RuntimeException('This is not a licence file, or it was altered.');
    }
    $key = troth_decoded($publicKey);
    $payload = troth_decoded($found[1]);
    $signature = troth_decoded($found[3]);
    if (!hash_equals(substr(hash('sha256', $key), 0, 16), $found[2])) {
        throw new RuntimeException('This licence file was signed by another shop.');
    }
    $signed = sprintf('DSSEv1 %d %s %d %s', strlen(TROTH_TYPE), TROTH_TYPE, strlen($payload), $payload);
    if (!sodium_crypto_sign_verify_detached($signature, $signed, $key)) {
        throw new RuntimeException('This licence file was altered.');
    }
    return json_decode($payload, true, 16, JSON_THROW_ON_ERROR);
}

function troth_decoded(string $text): string
{
    $raw = base64_decode($text, true);
    if ($raw === false || base64_encode($raw) !== $text) {
        throw new RuntimeException('This licence file was altered.');
    }
    return $raw;
}

if (isset($argv[2]) && realpath($argv[0]) === __FILE__) {
    echo json_encode(troth_verify(file_get_contents($argv[1]), $argv[2])), "\n";
}
