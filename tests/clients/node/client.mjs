// The openai Node client against a running `chatrix serve --offline`. Usage: node client.mjs BASE_URL
import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "any", maxRetries: 0 });
const hello = [{ role: "user", content: "echo Grüße, 世界!" }];

const ids = [];
for await (const model of client.models.list()) ids.push(model.id);
for (const name of ["claude-sonnet-4", "claude-sonnet-3", "deepseek"]) assert(ids.includes(name), name);
assert.equal((await client.models.retrieve("deepseek")).owned_by, "deepseek");

const { data: answer, response } = await client.chat.completions
  .create({ model: "claude-haiku", messages: hello, max_completion_tokens: 9000 })
  .withResponse();
assert.equal(answer.choices[0].message.content, "Grüße, 世界!");
assert.equal(answer.choices[0].finish_reason, "stop");
assert(answer.usage.total_tokens > 0);
assert.equal(response.headers.get("x-chatrix-policy"), "max_tokens 9000->8192");

const stream = await client.chat.completions.create({
  model: "deepseek", messages: hello, stream: true, stream_options: { include_usage: true },
});
let text = "", reasons = [], usage;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
  usage = chunk.usage ?? usage;
}
assert.equal(text, "Grüße, 世界!");
assert.deepEqual(reasons, ["stop"]);
assert(usage.total_tokens > 0);

await assert.rejects(client.chat.completions.create({ model: "gpt-4o", messages: hello }), (error) => {
  assert(error instanceof OpenAI.NotFoundError);
  assert.equal(error.code, "model_not_found");
  return true;
});

// A tool loop, streamed, with two calls at once.
const tool = (name) => ({ type: "function", function: { name, parameters: { type: "object", properties: { city: { type: "string" } } } } });
const tools = [tool("get_weather"), tool("get_time")];
const talk = [{ role: "user", content: 'use get_weather and get_time with {"city": "Zürich"}' }];
const runner = client.chat.completions.stream({ model: "claude-haiku", messages: talk, tools });
const called = (await runner.finalChatCompletion()).choices[0];
assert.equal(called.finish_reason, "tool_calls");
assert.deepEqual(called.message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]), [
  ["get_weather", { city: "Zürich" }], ["get_time", { city: "Zürich" }],
]);
talk.push(called.message, ...called.message.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "fine" })));
const told = await client.chat.completions.create({ model: "claude-haiku", messages: talk, tools });
assert.equal(told.choices[0].message.content, "The tool says: fine and fine");

// An image.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const seen = await client.chat.completions.create({
  model: "claude-haiku",
  messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }] }],
});
assert.match(seen.choices[0].message.content, /png image/);

// An answer by schema, thoughts, embeddings (base64 by default).
const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false };
const bound = await client.chat.completions.create({
  model: "claude-haiku-4-5", messages: hello, response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
});
assert.deepEqual(JSON.parse(bound.choices[0].message.content), { n: 1 });
const thought = await client.chat.completions.create({ model: "claude-haiku", messages: hello, reasoning_effort: "high" });
assert(thought.choices[0].message.reasoning_content);
const vectors = await client.embeddings.create({ model: "cohere-embed", input: ["one", "two"] });
assert.deepEqual(vectors.data.map(({ embedding }) => embedding.length), [1536, 1536]);

// An error after the stream began.
await assert.rejects(async () => {
  const broken = await client.chat.completions.create({
    model: "nova-micro", messages: [{ role: "user", content: "break off" }], stream: true,
  });
  for await (const _ of broken);
}, (error) => error instanceof OpenAI.APIError && error.code === "upstream_error");

console.log("openai-node", VERSION, "ok");
