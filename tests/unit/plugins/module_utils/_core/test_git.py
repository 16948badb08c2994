from plugins.module_utils._core.git import without_prompts


def test_nobody_is_asked_and_a_users_own_ssh_is_used():
    assert without_prompts({"PATH": "/bin"}) == {"PATH": "/bin", "GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    own = {"GIT_SSH_COMMAND": "ssh -i key", "GIT_TERMINAL_PROMPT": "1"}
    assert without_prompts(own) == {"GIT_SSH_COMMAND": "ssh -i key", "GIT_TERMINAL_PROMPT": "0"}
