// What the Node clients make of a busy Bedrock and of a stream that breaks. `tests/agents/faults.rs` scripts it.
// Usage: node faults.mjs BASE_URL (without /v1)
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const baseURL = process.argv[2];
const messages = new Anthropic({ baseURL, apiKey: "any", maxRetries: 4 });
const responses = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: "any", maxRetries: 4 });
const schema = { type: "object", properties: { city: { type: "string" } } };

for (const model of ["claude-sonnet-4-6", "nova-pro"]) {
  const ask = (content, more) => ({ model, max_tokens: 16001, messages: [{ role: "user", content }], ...more });
  assert.equal((await messages.messages.create({ ...ask("busy"), max_tokens: 99 })).content[0].text, "Now it works.");
  assert.equal((await responses.responses.create({ model, input: "busy" })).output_text, "Now it works.");
  await assert.rejects(messages.messages.stream(ask("break")).finalMessage(), (error) => error.error?.error?.type === "api_error");
  let last;
  for await (const event of await responses.responses.create({ model, input: "break", stream: true })) last = event;
  assert.equal(last.type, "response.failed");
  assert(last.response.error.message);

  // A call that the limit has cut does not arrive at all.
  const cut = await messages.messages.stream(ask("half a call", { tools: [{ name: "look", input_schema: schema }] })).finalMessage();
  assert.deepEqual([cut.stop_reason, cut.content.map(({ type }) => type)], ["max_tokens", ["text"]]);
  const half = await responses.responses.stream({ model, input: "half a call", max_output_tokens: 16001, tools: [{ type: "function", name: "look", parameters: schema, strict: false }] }).finalResponse();
  assert.equal(half.status, "incomplete");
  assert.deepEqual(half.output.map(({ type }) => type), ["message"]);
}
console.log("faults ok");
