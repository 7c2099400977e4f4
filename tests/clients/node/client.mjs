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
  .create({ model: "claude-haiku", messages: hello, max_completion_tokens: 4096 })
  .withResponse();
assert.equal(answer.choices[0].message.content, "Grüße, 世界!");
assert.equal(answer.choices[0].finish_reason, "stop");
assert(answer.usage.total_tokens > 0);
assert.equal(response.headers.get("x-chatrix-policy"), "max_tokens 4096->1024");

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

console.log("openai-node", VERSION, "ok");
