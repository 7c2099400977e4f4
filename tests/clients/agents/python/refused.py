"""What the Python clients make of a budget that is used up, and of a wrong key. Usage: refused.py BASE_URL (without /v1) KEY"""

import os
import sys

import anthropic
import httpx2
import openai

url, key = sys.argv[1:]
# The id of the access key is the key of the server, because boto3 sends bearer tokens to addresses with https only.
os.environ |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "any", "AWS_EC2_METADATA_DISABLED": "true"}
import boto3
from botocore.exceptions import ClientError

sent = []
counting = {"http_client": httpx2.Client(event_hooks={"request": [sent.append]})}
hello = [{"role": "user", "content": "count to 200"}]


def once(call):
    """Told not to, a client does not try again."""
    sent.clear()
    try:
        call()
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        assert len(sent) == 1, "the refusal was repeated"
        return error
    raise SystemExit("a budget was overshot")


messages = anthropic.Anthropic(base_url=url, api_key=key, **counting)
responses = openai.OpenAI(base_url=f"{url}/v1", api_key=key, **counting)
for stream in (False, True):
    error = once(lambda: messages.messages.create(model="nova-micro", max_tokens=200, messages=hello, stream=stream))
    assert (error.status_code, error.body["error"]["type"]) == (402, "billing_error"), error
    assert "is left of the day budget" in str(error), error
    error = once(lambda: responses.responses.create(model="nova-micro", max_output_tokens=200, input="count to 200", stream=stream))
    assert (error.status_code, error.code) == (429, "insufficient_quota"), error
    assert "is left of the day budget" in str(error), error
error = once(lambda: anthropic.Anthropic(base_url=url, api_key="any", **counting).messages.create(model="nova-micro", max_tokens=9, messages=hello))
assert isinstance(error, anthropic.AuthenticationError), error

bedrock = boto3.client("bedrock-runtime", endpoint_url=url, region_name="us-west-2")


bedrock.meta.events.register("before-send.bedrock-runtime.Converse", lambda request, **_: sent.append(request))
sent.clear()
try:
    bedrock.converse(modelId="us.amazon.nova-micro-v1:0", messages=[{"role": "user", "content": [{"text": "count to 200"}]}], inferenceConfig={"maxTokens": 200})
    raise SystemExit("a budget was overshot")
except ClientError as error:
    assert "is left of the day budget" in str(error), error
assert len(sent) == 1, "the refusal was repeated"
print("refusals ok")
