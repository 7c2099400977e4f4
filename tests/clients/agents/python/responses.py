"""The Responses API of the openai Python client, and openai-agents, against a running `chatrix serve --offline`. Usage: responses.py BASE_URL (with /v1)"""

import asyncio
import json
import sys
from importlib.metadata import version

import agents
import openai
import pydantic

base = {"base_url": sys.argv[1], "api_key": "any", "max_retries": 0}
client = openai.OpenAI(**base)
model = "claude-sonnet-4-6"
pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
tools = [
    {"type": "function", "name": name, "strict": False, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    for name in ("get_weather", "get_time")
]

complete = client.responses.create(model=model, input="echo Grüße, 世界!")
assert (complete.output_text, complete.status) == ("Grüße, 世界!", "completed"), complete
with client.responses.stream(model=model, input="echo Grüße, 世界!") as stream:
    events = list(stream)
    streamed = stream.get_final_response()
assert (streamed.output_text, streamed.usage) == (complete.output_text, complete.usage), streamed
assert [event.sequence_number for event in events] == list(range(len(events)))

# Two calls at once, with reasoning that is given back as it came; their results; the answer.
talk = [{"role": "user", "content": 'use get_weather and get_time with {"city": "Zürich"}'}]
thinking = {"reasoning": {"effort": "high", "summary": "auto"}, "store": False, "include": ["reasoning.encrypted_content"]}
with client.responses.stream(model=model, input=talk, tools=tools, **thinking) as stream:
    called = stream.get_final_response()
assert [item.type for item in called.output] == ["reasoning", "function_call", "function_call"], called.output
assert called.output[0].encrypted_content and called.output[0].summary, called.output[0]
assert [json.loads(call.arguments) for call in called.output[1:]] == [{"city": "Zürich"}] * 2
talk += [item.to_dict() for item in called.output]
talk += [{"type": "function_call_output", "call_id": call.call_id, "output": "fine"} for call in called.output[1:]]
assert client.responses.create(model=model, input=talk, tools=tools, **thinking).output_text == "The tool says: fine and fine"

image = {"type": "input_image", "image_url": f"data:image/png;base64,{pixel}", "detail": "auto"}
assert "png image" in client.responses.create(model=model, input=[{"role": "user", "content": [image]}]).output_text


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


parsed = client.responses.parse(model="claude-haiku-4-5", input="a city", text_format=City)
assert parsed.output_parsed == City(name="offline", inhabitants=1), parsed
cut = client.responses.create(model=model, input="count to 300", max_output_tokens=16)
assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens"), cut
failed = [event for event in client.responses.create(model="nova-micro", input="break off", stream=True)][-1]
assert failed.type == "response.failed" and "broke off" in failed.response.error.message, failed
try:
    client.responses.create(model=model, input="x", previous_response_id="resp_1")
    raise SystemExit("a response that is not kept was found")
except openai.BadRequestError as error:
    assert error.code == "previous_response_not_found", error
counted = client.responses.input_tokens.count(model=model, input="echo hello")
assert counted.input_tokens > 0, counted
print("openai-python", openai.__version__, "responses ok")


@agents.function_tool
def get_weather(city: str) -> str:
    return f"sun in {city}"


@agents.function_tool
def get_time(city: str) -> str:
    return f"noon in {city}"


async def loop(streamed):
    agents.set_tracing_disabled(True)
    settings = agents.ModelSettings(reasoning={"effort": "high", "summary": "auto"}, response_include=["reasoning.encrypted_content"], max_tokens=12000)
    responses = agents.OpenAIResponsesModel(model=model, openai_client=openai.AsyncOpenAI(**base))
    agent = agents.Agent(name="a", instructions="Be brief.", model=responses, tools=[get_weather, get_time], model_settings=settings)
    asked = 'use get_weather and get_time with {"city": "Zürich"}'
    if not streamed:
        return (await agents.Runner.run(agent, asked, max_turns=3)).final_output
    run = agents.Runner.run_streamed(agent, asked, max_turns=3)
    async for _ in run.stream_events():
        pass
    return run.final_output


for streamed in (False, True):
    assert asyncio.run(loop(streamed)) == "The tool says: sun in Zürich and noon in Zürich"
print("openai-agents", version("openai-agents"), "ok")
