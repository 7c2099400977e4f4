"""What the Python clients make of a busy Bedrock and of a stream that breaks. `tests/agents/faults.rs` scripts it. Usage: faults.py BASE_URL (without /v1)"""

import sys

import anthropic
import openai

url = sys.argv[1]
messages = anthropic.Anthropic(base_url=url, api_key="any", max_retries=4)
responses = openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=4)
schema = {"type": "object", "properties": {"city": {"type": "string"}}}

for model in ("claude-sonnet-4-6", "nova-pro"):
    ask = {"model": model, "max_tokens": 16001}
    said = lambda content: [{"role": "user", "content": content}]
    assert messages.messages.create(model=model, max_tokens=99, messages=said("busy")).content[0].text == "Now it works."
    assert responses.responses.create(model=model, input="busy").output_text == "Now it works."
    try:
        with messages.messages.stream(**ask, messages=said("break")) as stream:
            stream.get_final_message()
        raise SystemExit("a broken stream ended well")
    except anthropic.APIError as error:
        assert error.body["error"]["type"] == "api_error", error
    last = [event for event in responses.responses.create(model=model, input="break", stream=True)][-1]
    assert last.type == "response.failed" and last.response.error.message, last

    # A call that the limit has cut does not arrive at all.
    tools = [{"name": "look", "input_schema": schema}]
    with messages.messages.stream(**ask, messages=said("half a call"), tools=tools) as stream:
        cut = stream.get_final_message()
    assert (cut.stop_reason, [block.type for block in cut.content]) == ("max_tokens", ["text"]), cut
    tools = [{"type": "function", "name": "look", "parameters": schema, "strict": False}]
    for stream in (False, True):
        cut = responses.responses.create(model=model, input="half a call", max_output_tokens=16001, tools=tools, stream=stream)
        cut = [event for event in cut][-1].response if stream else cut
        assert cut.status == "incomplete" and [item.type for item in cut.output] == ["message"], cut
print("faults ok")
