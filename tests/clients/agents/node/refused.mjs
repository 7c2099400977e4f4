// What the Node clients make of a budget that is used up, and of a wrong key. Usage: node refused.mjs BASE_URL (without /v1) KEY
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
let sent = 0;
const counting = (...request) => {
  sent += 1;
  return fetch(...request);
};
// Told not to, a client does not try again.
async function once(call, check) {
  sent = 0;
  await assert.rejects(call, check);
  assert.equal(sent, 1, "the refusal was repeated");
}

const anthropic = new Anthropic({ baseURL, apiKey, fetch: counting });
const openai = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, fetch: counting });
const messages = [{ role: "user", content: "count to 200" }];
for (const stream of [false, true]) {
  await once(anthropic.messages.create({ model: "nova-micro", max_tokens: 200, messages, stream }), (error) => {
    assert.deepEqual([error.status, error.error.error.type], [402, "billing_error"], String(error));
    assert.match(error.message, /is left of the day budget/);
    return true;
  });
  await once(openai.responses.create({ model: "nova-micro", max_output_tokens: 200, input: "count to 200", stream }), (error) => {
    assert.deepEqual([error.status, error.code], [429, "insufficient_quota"], String(error));
    assert.match(error.message, /is left of the day budget/);
    return true;
  });
}
await once(new Anthropic({ baseURL, apiKey: "any", fetch: counting }).messages.create({ model: "nova-micro", max_tokens: 9, messages }),
  (error) => error.status === 401 && error.error.error.type === "authentication_error");
await once(new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: "any", fetch: counting }).responses.create({ model: "nova-micro", input: "x" }),
  (error) => error.status === 401 && error.code === "invalid_api_key");
console.log("refusals ok");
