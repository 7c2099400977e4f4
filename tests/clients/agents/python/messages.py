"""The Anthropic Python client against a running `chatrix serve --offline`. Usage: messages.py BASE_URL (without /v1)"""

import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="any", max_retries=0)
pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": pixel}}
tools = [
    {"name": name, "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    for name in ("get_weather", "get_time")
]


def user(content):
    return {"role": "user", "content": content}


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


assert "claude-sonnet-4-6" in [model.id for model in client.models.list(limit=1000)]

# A Claude model goes through InvokeModel, the others through Converse; both answer alike.
for model in ("claude-sonnet-4-6", "nova-pro"):
    base = {"model": model, "max_tokens": 12000}
    hello = {**base, "messages": [user("echo Grüße, 世界!")]}
    complete = client.messages.create(**hello)
    assert (text(complete), complete.stop_reason, complete.model) == ("Grüße, 世界!", "end_turn", model), complete
    with client.messages.stream(**hello) as stream:
        streamed = stream.get_final_message()
    assert text(streamed) == "Grüße, 世界!", streamed
    for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
        assert getattr(streamed.usage, name) == getattr(complete.usage, name), name
    assert client.messages.count_tokens(model=model, messages=hello["messages"]).input_tokens > 0

    # Two calls at once, with thoughts whose signatures come back unchanged; their results; the answer.
    talk = [user('use get_weather and get_time with {"city": "Zürich"}')]
    thinking = {"thinking": {"type": "adaptive"}} if model.startswith("claude") else {}
    with client.messages.stream(**base, tools=tools, messages=talk, **thinking) as stream:
        called = stream.get_final_message()
    calls = [block for block in called.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [("get_weather", {"city": "Zürich"}), ("get_time", {"city": "Zürich"})]
    assert called.stop_reason == "tool_use" and (not thinking or called.content[0].signature), called
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "fine"} for call in calls]
    talk += [{"role": "assistant", "content": called.content}, user(results)]
    assert text(client.messages.create(**base, tools=tools, messages=talk, **thinking)) == "The tool says: fine and fine"

    assert "png image" in text(client.messages.create(**base, messages=[user([image])]))
    cut = client.messages.create(model=model, max_tokens=3, messages=[user("count to 9")])
    assert (text(cut), cut.stop_reason) == ("1 2 3", "max_tokens"), cut
    try:
        with client.messages.stream(**base, messages=[user("break off")]) as stream:
            stream.get_final_message()
        raise SystemExit("a broken stream ended well")
    except anthropic.APIError as error:
        assert "broke off" in str(error), error

try:
    client.messages.create(model="gpt-4o", max_tokens=9, messages=[user("x")])
    raise SystemExit("an unknown model was answered")
except anthropic.NotFoundError as error:
    assert error.body["error"]["type"] == "not_found_error" and error.request_id.startswith("req_"), error

print("anthropic-sdk for Python", anthropic.__version__, "ok")
