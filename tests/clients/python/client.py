"""The openai Python client against a running `chatrix serve --offline`. Usage: client.py BASE_URL"""

import json
import sys

import openai
import pydantic

client = openai.OpenAI(base_url=sys.argv[1], api_key="any", max_retries=0)
hello = [{"role": "user", "content": "echo Grüße, 世界!"}]

ids = [model.id for model in client.models.list()]
assert {"claude-sonnet-4", "claude-sonnet-3", "deepseek"} <= set(ids), ids
assert client.models.retrieve("claude-sonnet-4").owned_by == "anthropic"

answer = client.chat.completions.create(model="claude-haiku", messages=hello, max_tokens=4096, temperature=1)
assert answer.choices[0].message.content == "Grüße, 世界!"
assert answer.choices[0].finish_reason == "stop"
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0

raw = client.chat.completions.with_raw_response.create(model="claude-haiku", messages=hello, max_tokens=9000)
assert raw.headers["x-chatrix-policy"] == "max_tokens 9000->8192"
assert float(raw.headers["x-chatrix-cost-usd"]) > 0
assert raw.parse()._request_id.startswith("req_")

chunks = list(
    client.chat.completions.create(
        model="deepseek", messages=hello, stream=True, stream_options={"include_usage": True}
    )
)
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text == "Grüße, 世界!", text
reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
assert reasons[-1] == "stop" and reasons.count("stop") == 1, reasons
assert chunks[-1].usage.total_tokens > 0 and chunks[-1].choices == []

with client.chat.completions.stream(model="nova-micro", messages=hello) as stream:
    assert stream.get_final_completion().choices[0].message.content == "Grüße, 世界!"

try:
    client.chat.completions.create(model="gpt-4o", messages=hello)
    raise SystemExit("an unknown model was answered")
except openai.NotFoundError as error:
    assert (error.code, error.param) == ("model_not_found", "model"), error
try:
    client.chat.completions.create(model="claude-haiku", messages=hello, max_tokens=0)
    raise SystemExit("max_tokens 0 was answered")
except openai.BadRequestError as error:
    assert error.param == "max_tokens", error

# A tool loop, streamed, with two calls at once.
tools = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
    for name in ("get_weather", "get_time")
]
talk = [{"role": "user", "content": 'use get_weather and get_time with {"city": "Zürich"}'}]
calls = {}
for chunk in client.chat.completions.create(model="claude-haiku", messages=talk, tools=tools, stream=True):
    for call in chunk.choices[0].delta.tool_calls or []:
        name, arguments = calls.setdefault(call.index, [call.id, call.function.name, ""])[1:]
        calls[call.index][2] += call.function.arguments
assert [call[1] for call in calls.values()] == ["get_weather", "get_time"], calls
assert all(json.loads(call[2]) == {"city": "Zürich"} for call in calls.values()), calls
talk.append({"role": "assistant", "content": None, "tool_calls": [
    {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}} for id, name, arguments in calls.values()
]})
talk += [{"role": "tool", "tool_call_id": call[0], "content": f"{call[1]} is fine"} for call in calls.values()]
answer = client.chat.completions.create(model="claude-haiku", messages=talk, tools=tools)
assert answer.choices[0].message.content == "The tool says: get_weather is fine and get_time is fine"

# An image, thoughts, an answer by schema.
pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{pixel}"}}
answer = client.chat.completions.create(
    model="claude-haiku", messages=[{"role": "user", "content": [image]}], reasoning_effort="high"
)
assert "png image" in answer.choices[0].message.content
assert answer.choices[0].message.reasoning_content


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


for model in ("claude-haiku-4-5", "claude-haiku"):  # natively, and through a tool
    parsed = client.chat.completions.parse(model=model, messages=hello[:0] + [{"role": "user", "content": "a city"}], response_format=City)
    assert parsed.choices[0].message.parsed == City(name="offline", inhabitants=1), parsed

# An error after the stream began.
try:
    for _ in client.chat.completions.create(model="nova-micro", messages=[{"role": "user", "content": "break off"}], stream=True):
        pass
    raise SystemExit("a broken stream ended well")
except openai.APIError as error:
    assert error.code == "upstream_error", error

vectors = client.embeddings.create(model="titan-embed", input=["one", "two"], dimensions=256)
assert [len(entry.embedding) for entry in vectors.data] == [256, 256] and isinstance(vectors.data[0].embedding[0], float)
assert client.completions.create(model="claude-haiku", prompt="echo old").choices[0].text == "old"

print("openai-python", openai.__version__, "ok")
