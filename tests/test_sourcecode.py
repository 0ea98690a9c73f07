from mosaic import sourcecode


def test_comments_do_not_count_and_code_does():
    plain = "def f(x):\n    return x + 1\n"
    told = '"""A module."""\n\ndef f(x):\n    """Adds."""\n    # one\n    return (x + 1)\n'
    assert sourcecode.bare(plain) == sourcecode.bare(told) != sourcecode.bare(plain.replace("1", "2"))
