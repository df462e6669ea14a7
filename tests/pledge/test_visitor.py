"""The visitor without eyes sends what a browser would."""

from troth.pledge.policy.visitor import Page


def test_of_a_list_the_first_stands_unless_another_is_chosen() -> None:
    body = b"""<form>
      <select name="none"><option value="">any</option><option value="a">A</option></select>
      <select name="second"><option value="a">A</option><option value="b" selected>B</option></select>
    </form>"""
    (form,) = Page("http://shop.example/", 200, {}, body).forms
    assert {field.name: field.value for field in form.fields} == {"none": "", "second": "b"}
