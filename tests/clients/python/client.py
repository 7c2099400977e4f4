"""The openai Python client against a running `chatrix serve --offline`. Usage: client.py BASE_URL"""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="any", max_retries=0)
hello = [{"role": "user", "content": "echo Grüße, 世界!"}]

ids = [model.id for model in client.models.list()]
assert {"claude-sonnet-4", "claude-sonnet-3", "deepseek"} <= set(ids), ids
assert client.models.retrieve("claude-sonnet-4").owned_by == "anthropic"

answer = client.chat.completions.create(model="claude-haiku", messages=hello, max_tokens=4096, temperature=1)
assert answer.choices[0].message.content == "Grüße, 世界!"
assert answer.choices[0].finish_reason == "stop"
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0

raw = client.chat.completions.with_raw_response.create(model="claude-haiku", messages=hello, max_tokens=4096)
assert raw.headers["x-chatrix-policy"] == "max_tokens 4096->1024"
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

print("openai-python", openai.__version__, "ok")
