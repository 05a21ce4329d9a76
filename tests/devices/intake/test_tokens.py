"""Tokens of data sources."""

from devices.intake.tokens import hash_token, hint, new_token


def test_a_token_has_256_bits_and_no_twin() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(bytes.fromhex(token)) == 32 for token in tokens)


def test_what_is_kept_of_a_token_is_its_hash() -> None:
    token = new_token()
    assert hash_token(token) == hash_token(token.encode()) != hash_token(new_token())
    assert token not in hash_token(token)
    assert token.startswith(hint(token))
    assert len(hint(token)) < 12
