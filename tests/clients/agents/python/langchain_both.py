"""LangChain's ChatOpenAI with the Responses API, and its ChatAnthropic, against a running `chatrix serve --offline`. Usage: langchain_both.py BASE_URL (without /v1)"""

import sys
from importlib.metadata import version

import pydantic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

url = sys.argv[1]
model = "claude-sonnet-4-6"
pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@tool
def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"sun in {city}"


class City(pydantic.BaseModel):
    name: str


responses = {"base_url": f"{url}/v1", "api_key": "any", "use_responses_api": True, "max_retries": 0}
messages = {"base_url": url, "api_key": "any", "max_retries": 0}
for name, new, thoughtful in [
    ("langchain-openai", lambda **more: ChatOpenAI(**{"model": model, **responses, **more}),
     {"reasoning": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content"], "store": False}),
    ("langchain-anthropic", lambda **more: ChatAnthropic(**{"model": model, **messages, **more}), {"thinking": {"type": "adaptive"}}),
]:
    llm = new()
    assert llm.invoke("echo hello").text == "hello"
    chunks = list(llm.stream("echo a b c"))
    assert "".join(chunk.text for chunk in chunks) == "a b c"
    usage = llm.invoke("echo hello").usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] and usage["input_tokens"] > 0, usage
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert whole.usage_metadata["input_tokens"] > 0, whole

    bound = new(**thoughtful).bind_tools([get_weather])
    talk = [HumanMessage('use get_weather with {"city": "Bern"}')]
    talk.append(bound.invoke(talk))
    assert talk[-1].tool_calls[0]["args"] == {"city": "Bern"}, talk[-1]
    assert any(block["type"] == "reasoning" for block in talk[-1].content_blocks), talk[-1]
    talk += [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in talk[-1].tool_calls]
    assert bound.invoke(talk).text == "The tool says: sun in Bern"

    assert new(model="claude-haiku-4-5").with_structured_output(City).invoke("a city") == City(name="offline")
    image = {"type": "image", "base64": pixel, "mime_type": "image/png"}
    assert "png image" in llm.invoke([HumanMessage([image])]).text
    cut = new(max_tokens=16).invoke("count to 300")
    assert cut.text.startswith("1 2 3"), cut
    assert "incomplete" == cut.response_metadata.get("status") or cut.response_metadata.get("stop_reason") == "max_tokens", cut
    try:
        list(llm.stream("break off"))
        raise SystemExit("a broken stream ended well")
    except Exception as error:
        assert "broke off" in str(error), error
    print(name, version(name), "ok")
