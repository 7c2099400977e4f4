"""boto3 against a running `chatrix serve --offline`, as if it were Bedrock. Usage: aws.py BASE_URL (without /v1)"""

import json
import os
import sys

os.environ |= {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_EC2_METADATA_DISABLED": "true"}
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

config = Config(retries={"total_max_attempts": 1})
bedrock = boto3.client("bedrock-runtime", endpoint_url=sys.argv[1], region_name="us-west-2", config=config)
claude, nova = "us.anthropic.claude-sonnet-4-6", "us.amazon.nova-pro-v1:0"
pixel = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


def user(*content):
    return {"role": "user", "content": list(content)}


for model in (claude, nova):
    hello = {"modelId": model, "messages": [user({"text": "echo Grüße, 世界!"})]}
    answer = bedrock.converse(**hello)
    assert answer["output"]["message"]["content"] == [{"text": "Grüße, 世界!"}], answer
    assert answer["stopReason"] == "end_turn" and answer["usage"]["totalTokens"] > 0, answer
    events = list(bedrock.converse_stream(**hello)["stream"])
    text = "".join(event["contentBlockDelta"]["delta"].get("text", "") for event in events if "contentBlockDelta" in event)
    assert text == "Grüße, 世界!" and events[-1]["metadata"]["usage"] == answer["usage"], events

    # Two calls at once, their results, the answer.
    specs = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in ("look", "listen")]
    talk = [user({"text": 'look and listen {"q": 1}'})]
    called = bedrock.converse(modelId=model, messages=talk, toolConfig={"tools": specs})
    assert called["stopReason"] == "tool_use", called
    calls = [block["toolUse"] for block in called["output"]["message"]["content"] if "toolUse" in block]
    assert [(call["name"], call["input"]) for call in calls] == [("look", {"q": 1}), ("listen", {"q": 1})], calls
    results = [{"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "fine"}]}} for call in calls]
    talk += [called["output"]["message"], user(*results)]
    told = bedrock.converse(modelId=model, messages=talk, toolConfig={"tools": specs})
    assert told["output"]["message"]["content"] == [{"text": "The tool says: fine and fine"}], told

    image = {"image": {"format": "png", "source": {"bytes": pixel}}}
    seen = bedrock.converse(modelId=model, messages=[user(image)])
    assert "png image" in seen["output"]["message"]["content"][0]["text"], seen
    cut = bedrock.converse(modelId=model, messages=[user({"text": "count to 9"})], inferenceConfig={"maxTokens": 3})
    assert (cut["stopReason"], cut["output"]["message"]["content"]) == ("max_tokens", [{"text": "1 2 3"}]), cut
    try:
        list(bedrock.converse_stream(modelId=model, messages=[user({"text": "break off"})])["stream"])
        raise SystemExit("a broken stream ended well")
    except EventStreamError as error:
        assert "broke off" in str(error), error

# Claude's own dialect, and thoughts that come back as they were.
def native(content, **more):
    talk = content if isinstance(content, list) else [{"role": "user", "content": content}]
    return json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 12000, "messages": talk, **more})


answer = json.loads(bedrock.invoke_model(modelId=claude, body=native("echo hello"))["body"].read())
assert (answer["content"], answer["stop_reason"]) == ([{"type": "text", "text": "hello"}], "end_turn"), answer
chunks = bedrock.invoke_model_with_response_stream(modelId=claude, body=native("echo a b c"))["body"]
events = [json.loads(event["chunk"]["bytes"]) for event in chunks]
assert "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta") == "a b c", events
assert events[0]["type"] == "message_start" and events[-1]["amazon-bedrock-invocationMetrics"]["inputTokenCount"] > 0
more = {"tools": [{"name": "look", "input_schema": {"type": "object"}}], "thinking": {"type": "adaptive"}}
talk = [{"role": "user", "content": 'look {"q": 1}'}]
called = json.loads(bedrock.invoke_model(modelId=claude, body=native(talk, **more))["body"].read())
assert [block["type"] for block in called["content"]] == ["thinking", "tool_use"], called
results = [{"type": "tool_result", "tool_use_id": called["content"][1]["id"], "content": "fine"}]
talk += [{"role": "assistant", "content": called["content"]}, {"role": "user", "content": results}]
told = json.loads(bedrock.invoke_model(modelId=claude, body=native(talk, **more))["body"].read())
assert told["content"][-1]["text"] == "The tool says: fine", told

# Embeddings.
titan = bedrock.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "one", "dimensions": 256}))
assert len(json.loads(titan["body"].read())["embedding"]) == 256
cohere = json.dumps({"texts": ["one", "two"], "input_type": "search_document", "embedding_types": ["float"]})
cohere = bedrock.invoke_model(modelId="us.cohere.embed-v4:0", body=cohere)
assert len(json.loads(cohere["body"].read())["embeddings"]["float"]) == 2

try:
    bedrock.converse(modelId="gpt-4o", messages=[user({"text": "x"})])
    raise SystemExit("an unknown model was answered")
except ClientError as error:
    assert error.response["Error"]["Code"] in ("ResourceNotFoundException", "ValidationException"), error

print("boto3", boto3.__version__, "ok")
