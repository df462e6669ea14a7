// The browser's part of passkeys (W3C Web Authentication, sections 5.1.3 and 5.1.4), and the only script of this shop.
// It fills a form's hidden field with what the device made of the challenge. It loads nothing and tells nobody else.
"use strict";

const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), sign => sign.charCodeAt(0));
const text = buffer =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

function create(form, challenge) {
  const { shop, user, known } = form.dataset;
  return navigator.credentials.create({ publicKey: {
    challenge, rp: { name: shop }, user: { id: bytes(user), name: shop, displayName: shop },
    pubKeyCredParams: [-7, -8, -257].map(alg => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    excludeCredentials: known.split(" ").filter(Boolean).map(id => ({ type: "public-key", id: bytes(id) })),
    attestation: "none",
  } });
}

const get = (form, challenge) => navigator.credentials.get({ publicKey: { challenge, userVerification: "required" } });

function written(made) {
  const parts = PARTS.filter(name => made.response[name]).map(name => [name, text(made.response[name])]);
  return JSON.stringify({ id: made.id, rawId: made.id, type: made.type, response: Object.fromEntries(parts) });
}

async function answer(event) {
  const form = event.target;
  event.preventDefault();
  try {
    const ask = form.dataset.passkey === "create" ? create : get;
    form.elements.passkey.value = written(await ask(form, bytes(form.elements.challenge.value)));
    form.submit();
  } catch {
    form.querySelector("[data-trouble]").hidden = false;
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("[data-able]")) form.hidden = false;
  for (const form of document.querySelectorAll("form[data-passkey]")) form.addEventListener("submit", answer);
}
