// The Responses API of the openai Node client against a running `chatrix serve --offline`. Usage: node responses.mjs BASE_URL (with /v1)
import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "any", maxRetries: 0 });
const tool = (name) => ({ type: "function", name, strict: false, parameters: { type: "object", properties: { city: { type: "string" } } } });
const tools = [tool("get_weather"), tool("get_time")];
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

for (const model of ["claude-sonnet-4-6", "deepseek"]) {
  const hello = { model, instructions: "Be brief.", input: "echo Grüße, 世界!" };
  const complete = await client.responses.create(hello);
  assert.deepEqual([complete.output_text, complete.status, complete.object], ["Grüße, 世界!", "completed", "response"]);
  assert.equal(complete.usage.total_tokens, complete.usage.input_tokens + complete.usage.output_tokens);
  const stream = client.responses.stream(hello);
  const kinds = [];
  for await (const event of stream) kinds.push(event.type);
  assert.equal(kinds[0], "response.created");
  assert.equal(kinds.at(-1), "response.completed");
  assert(kinds.filter((kind) => kind === "response.output_text.delta").length > 1, "it came in pieces");
  const streamed = await stream.finalResponse();
  assert.equal(streamed.output_text, "Grüße, 世界!");
  assert.deepEqual(streamed.usage, complete.usage);
}

// Two calls at once, with reasoning that is given back as it came; their results; the answer.
const model = "claude-sonnet-4-6";
const input = [{ role: "user", content: 'use get_weather and get_time with {"city": "Zürich"}' }];
for (const stream of [false, true]) {
  const request = { model, tools, input, reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"], store: false };
  const called = stream ? await client.responses.stream(request).finalResponse() : await client.responses.create(request);
  assert.deepEqual(called.output.map(({ type }) => type), ["reasoning", "function_call", "function_call"]);
  const [reasoning, ...calls] = called.output;
  assert(reasoning.encrypted_content && reasoning.summary.length > 0, JSON.stringify(reasoning));
  assert.deepEqual(calls.map((call) => [call.name, JSON.parse(call.arguments)]), [["get_weather", { city: "Zürich" }], ["get_time", { city: "Zürich" }]]);
  const results = calls.map(({ call_id, name }) => ({ type: "function_call_output", call_id, output: `${name} is fine` }));
  const told = await client.responses.create({ ...request, input: [...input, ...called.output, ...results] });
  assert.equal(told.output_text, "The tool says: get_weather is fine and get_time is fine");
}

// A tool of free text gets its text back, not JSON.
const custom = await client.responses.create({ model, input: 'note {"input": "two\\nlines"}', tools: [{ type: "custom", name: "note" }] });
assert.deepEqual([custom.output[0].type, custom.output[0].name, custom.output[0].input], ["custom_tool_call", "note", "two\nlines"]);

const seen = await client.responses.create({ model, input: [{ role: "user", content: [{ type: "input_image", image_url: `data:image/png;base64,${pixel}`, detail: "auto" }] }] });
assert.match(seen.output_text, /png image/);

const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false };
const bound = await client.responses.create({ model: "claude-haiku-4-5", input: "a number", text: { format: { type: "json_schema", name: "n", schema, strict: true } } });
assert.deepEqual(JSON.parse(bound.output_text), { n: 1 });

// Cut in a text.
const cut = await client.responses.create({ model, input: "count to 300", max_output_tokens: 16 });
assert.deepEqual([cut.status, cut.incomplete_details], ["incomplete", { reason: "max_output_tokens" }]);
assert.match(cut.output_text, /^1 2 3 .* 16$/);
// Cut in a call at the client's own limit: half of one is never sent as a whole one.
const half = await client.responses.stream({ model, tools, input: `get_weather {"city": "${"long ".repeat(300)}"}`, max_output_tokens: 20 }).finalResponse();
assert.deepEqual([half.status, half.incomplete_details], ["incomplete", { reason: "max_output_tokens" }]);
assert(!half.output.some(({ status }) => status === "completed"), JSON.stringify(half.output));

// An error after the stream began.
await assert.rejects(async () => {
  for await (const event of await client.responses.create({ model: "nova-micro", input: "break off", stream: true })) {
    if (event.type === "response.failed") throw new Error(event.response.error.message);
  }
}, /broke off/);

// What is not kept is refused with a sentence.
await assert.rejects(client.responses.create({ model, input: "x", previous_response_id: "resp_1" }), (error) => error.status === 400 && error.code === "previous_response_not_found");
await assert.rejects(client.responses.retrieve("resp_1"), (error) => error instanceof OpenAI.NotFoundError);
await assert.rejects(client.responses.create({ model: "gpt-4o", input: "x" }), (error) => error.code === "model_not_found");

console.log("openai-node", VERSION, "responses ok");
