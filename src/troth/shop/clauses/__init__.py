"""The promises, one file each, in the order in which they are published."""

from __future__ import annotations

from troth.pledge.policy.clause import Clause
from troth.shop.clauses import (
    p1_cards,
    p2_direct_payment,
    p3_what_is_said,
    p4_registering,
    p5_identity,
    p6_billing,
    p7_no_third_party,
    p8_delivery,
    p9_mailings,
    p10_reaching_you,
    p11_ip_against_fraud,
    p12_lawful_disclosure,
    p13_given_to_us,
    p14_never_sold,
    p15_in_transit,
    p16_at_rest,
    p17_only_who_needs_it,
    p18_safe_servers,
    p19_contact,
    p20_changes,
)

CLAUSES: tuple[Clause, ...] = (
    p1_cards.CLAUSE,
    p2_direct_payment.CLAUSE,
    p3_what_is_said.CLAUSE,
    p4_registering.CLAUSE,
    p5_identity.CLAUSE,
    p6_billing.CLAUSE,
    p7_no_third_party.CLAUSE,
    p8_delivery.CLAUSE,
    p9_mailings.CLAUSE,
    p10_reaching_you.CLAUSE,
    p11_ip_against_fraud.CLAUSE,
    p12_lawful_disclosure.CLAUSE,
    p13_given_to_us.CLAUSE,
    p14_never_sold.CLAUSE,
    p15_in_transit.CLAUSE,
    p16_at_rest.CLAUSE,
    p17_only_who_needs_it.CLAUSE,
    p18_safe_servers.CLAUSE,
    p19_contact.CLAUSE,
    p20_changes.CLAUSE,
)
BY_ID = {clause.id: clause for clause in CLAUSES}
LISTS = {"P18": p18_safe_servers.BY_PEOPLE}  # what people keep and the owner confirms
