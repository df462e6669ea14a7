"""A name server with the records of a test, on this machine (RFC 1035 over UDP)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@contextmanager
def server(texts: dict[str, list[str]]) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks it. `texts`: name without the last dot -> its TXT records; other names are not there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(line, texts), daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], line.getsockname()[1]
        yield resolver
        line.sendto(b"", line.getsockname())  # the end
        thread.join()


def _answer(line: socket.socket, texts: dict[str, list[str]]) -> None:
    while (heard := line.recvfrom(4096))[0]:
        asked = dns.message.from_wire(heard[0])
        question = asked.question[0]
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        found = texts.get(question.name.to_text(omit_final_dot=True).lower())
        if found:
            quoted = [f'"{text}"' for text in found]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *quoted))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        line.sendto(answer.to_wire(), heard[1])
