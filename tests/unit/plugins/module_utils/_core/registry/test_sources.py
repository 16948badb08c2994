import pytest

from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.registry.sources import Source, account_ids, sources_from


def test_without_sources_the_own_tags_are_asked_before_the_registries():
    sources = sources_from({"use_tags": True, "registries": ["/a", "s3://bucket/b"], "require_proof": True})
    assert [(source.type, source.registry, source.require_proof) for source in sources] == [
        ("local", None, True),
        ("organization", "/a", True),
        ("organization", "s3://bucket/b", True),
    ]
    assert sources_from({"use_tags": False}) == []


def test_the_document_of_a_user_is_read_as_it_stands():
    sources = sources_from(
        {
            "sources": [
                {
                    "type": "official",
                    "account": 999888777666,
                    "registry": "github:petal-hpc/petal-snapshots",
                    "priority": 3,
                    "enabled": True,
                },
                {"type": "community", "registry": "github:petal-hpc/community", "priority": 4},
                {"type": "organization", "account": 12345678901, "registry": "/org", "priority": 2},
                {"type": "local", "priority": 1},
            ]
        }
    )
    assert [(source.type, source.enabled, source.trusted_accounts) for source in sources] == [
        ("local", True, ()),
        ("organization", True, ("012345678901",)),
        ("official", True, ("999888777666",)),
        ("community", False, ()),
    ]


def test_what_strangers_publish_is_asked_for_on_purpose_only():
    (source,) = sources_from({"sources": [{"type": "official", "registry": "/official"}]})
    assert not source.enabled


def test_a_source_may_ask_for_more_than_the_task_and_never_for_less():
    given = {"type": "organization", "registry": "/org", "require_signature": False, "require_proof": True}
    (source,) = sources_from({"sources": [given], "require_signature": True, "allowed_signers": "/signers"})
    assert (source.require_signature, source.require_proof, source.allowed_signers) == (True, True, "/signers")


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ManyProblems) as caught:
        sources_from(
            {
                "sources": [
                    {"type": "local", "registry": "/own"},
                    {"type": "organization", "account": "123456789012"},
                    {"type": "organization", "registry": "/org", "require_signature": True},
                    {"type": "friends", "registry": "/friends"},
                ]
            }
        )
    assert len(caught.value.problems) == 4
    assert "tags of a snapshot are not visible to other accounts" in str(caught.value)
    assert "/org has no allowed_signers" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "title"),
    [
        (Source("local"), "tags in us-east-1"),
        (Source("organization", "/org"), "registry /org"),
        (Source("official", "https://example.com"), "official registry https://example.com"),
    ],
)
def test_a_source_has_a_title(source, title):
    assert source.title("us-east-1") == title


def test_account_ids_get_their_zeros_back():
    assert account_ids([12345678901, "123456789012"]) == ("012345678901", "123456789012")
