"""LangChain's ChatOpenAI against a running `chatrix serve --offline`. Usage: client.py BASE_URL"""

import sys
from importlib.metadata import version

import pydantic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

base = {"base_url": sys.argv[1], "api_key": "any"}
llm = ChatOpenAI(model="claude-haiku", max_retries=0, temperature=0.9, max_tokens=4000, **base)

assert llm.invoke("echo hello").content == "hello"
assert "".join(chunk.content for chunk in llm.stream("echo a b c")) == "a b c"
usage = llm.invoke("echo hello").usage_metadata
assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


@tool
def get_weather(city: str) -> str:
    """Tells the weather."""
    return f"sun in {city}"


bound = llm.bind_tools([get_weather])
talk = [HumanMessage('use get_weather with {"city": "Bern"}')]
talk.append(bound.invoke(talk))
assert talk[-1].tool_calls[0]["args"] == {"city": "Bern"}, talk[-1]
talk += [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in talk[-1].tool_calls]
assert bound.invoke(talk).content == "The tool says: sun in Bern"


class City(pydantic.BaseModel):
    name: str


for model in ("claude-haiku-4-5", "claude-haiku"):
    city = ChatOpenAI(model=model, max_retries=0, **base).with_structured_output(City).invoke("a city")
    assert city == City(name="offline"), city

pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{pixel}"}}
assert "png image" in llm.invoke([HumanMessage([image])]).content
thinking = ChatOpenAI(model="claude-haiku", reasoning_effort="high", max_retries=0, **base)
assert thinking.invoke("echo thought").content == "thought"
try:
    list(llm.stream("break off"))
    raise SystemExit("a broken stream ended well")
except Exception as error:
    assert "broke off" in str(error), error

embeddings = OpenAIEmbeddings(model="titan-embed", check_embedding_ctx_length=False, **base)
assert len(embeddings.embed_query("hello")) == 1024

try:
    ChatOpenAI(model="gpt-4o", max_retries=0, **base).invoke("x")
    raise SystemExit("an unknown model was answered")
except Exception as error:
    assert "no model is called" in str(error), error

print("langchain-openai", version("langchain-openai"), "ok")
