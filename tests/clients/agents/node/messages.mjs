// The Anthropic Node client against a running `chatrix serve --offline`. Usage: node messages.mjs BASE_URL (without /v1)
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { readFileSync } from "node:fs";

const client = new Anthropic({ baseURL: process.argv[2], apiKey: "any", maxRetries: 0 });
const user = (content) => ({ role: "user", content });
const tool = (name) => ({ name, input_schema: { type: "object", properties: { city: { type: "string" } } } });
const tools = [tool("get_weather"), tool("get_time")];
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const image = { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } };
const textOf = (message) => message.content.filter(({ type }) => type === "text").map(({ text }) => text).join("");

const ids = [];
for await (const model of client.models.list({ limit: 1000 })) ids.push(model.id);
assert(ids.includes("claude-sonnet-4-6"), ids.join());

// A Claude model goes through InvokeModel, the others through Converse; both answer alike.
for (const model of ["claude-sonnet-4-6", "claude-opus-5-5", "claude-haiku-4-5", "nova-pro"]) {
  const isClaude = model.startsWith("claude");
  const base = { model, max_tokens: 12000 };
  const hello = { ...base, system: "Be brief.", messages: [user("echo Grüße, 世界!")] };
  const complete = await client.messages.create(hello);
  assert.equal(textOf(complete), "Grüße, 世界!");
  assert.equal(complete.stop_reason, "end_turn");
  assert.equal(complete.model, model);
  assert(complete.usage.input_tokens > 0 && complete.usage.output_tokens > 0);
  const streamed = await client.messages.stream(hello).finalMessage();
  assert.equal(textOf(streamed), "Grüße, 世界!");
  assert.equal(streamed.usage.output_tokens, complete.usage.output_tokens);
  assert.equal(streamed.usage.input_tokens, complete.usage.input_tokens);

  // Two calls at once, with thoughts whose signatures come back unchanged; their results; the answer.
  const thinking = !isClaude ? undefined : model === "claude-haiku-4-5" ? { type: "enabled", budget_tokens: 2000 } : { type: "adaptive" };
  const talk = [user('use get_weather and get_time with {"city": "Zürich"}')];
  for (const stream of [false, true]) {
    const request = { ...base, tools, thinking, messages: talk };
    const called = stream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
    assert.equal(called.stop_reason, "tool_use");
    const calls = called.content.filter(({ type }) => type === "tool_use");
    assert.deepEqual(calls.map(({ name, input }) => [name, input]), [["get_weather", { city: "Zürich" }], ["get_time", { city: "Zürich" }]]);
    if (isClaude) assert(called.content[0].type === "thinking" && called.content[0].signature, JSON.stringify(called.content));
    const results = calls.map(({ id, name }) => ({ type: "tool_result", tool_use_id: id, content: `${name} is fine` }));
    const told = await client.messages.create({ ...request, messages: [...talk, { role: "assistant", content: called.content }, user(results)] });
    assert.equal(textOf(told), "The tool says: get_weather is fine and get_time is fine");
  }
  const seen = await client.messages.create({ ...base, messages: [user([image])] });
  assert.match(textOf(seen), /png image/);

  // Cut in a text; stopped by a sequence of the client's.
  const cut = await client.messages.stream({ ...base, max_tokens: 3, messages: [user("count to 9")] }).finalMessage();
  assert.deepEqual([textOf(cut), cut.stop_reason], ["1 2 3", "max_tokens"]);
  const stopped = await client.messages.create({ ...base, stop_sequences: [" 4"], messages: [user("count to 9")] });
  assert.deepEqual([textOf(stopped), stopped.stop_reason, stopped.stop_sequence], ["1 2 3", "stop_sequence", isClaude ? " 4" : null]);

  // An error after the stream began.
  await assert.rejects(client.messages.stream({ ...base, messages: [user("break off")] }).finalMessage(), (error) => {
    assert(error instanceof Anthropic.APIError, String(error));
    assert.match(JSON.stringify(error.error), /"type":"api_error"/);
    return true;
  });
  const counted = await client.messages.countTokens({ model, messages: hello.messages });
  assert(counted.input_tokens > 0);
}

// A tool result with an image inside.
const look = [user("look at it"), { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "get_time", input: {} }] },
  user([{ type: "tool_result", tool_use_id: "toolu_1", content: [image] }])];
assert.match(textOf(await client.messages.create({ model: "claude-sonnet-4-6", max_tokens: 500, tools, messages: look })), /png image/);

await assert.rejects(client.messages.create({ model: "gpt-4o", max_tokens: 9, messages: [user("x")] }), (error) => {
  assert(error instanceof Anthropic.NotFoundError);
  assert.equal(error.error.error.type, "not_found_error");
  assert.match(error.error.error.message, /no model is called "gpt-4o"/);
  return true;
});

const versions = JSON.parse(readFileSync(new URL("package.json", import.meta.url))).dependencies;
console.log("anthropic-sdk for Node", versions["@anthropic-ai/sdk"], "ok");
