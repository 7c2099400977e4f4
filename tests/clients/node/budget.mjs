// What the openai Node client makes of a budget that is used up, and of a wrong key. Usage: node budget.mjs BASE_URL KEY
import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const [baseURL, apiKey] = process.argv.slice(2);
const messages = [{ role: "user", content: "count to 200" }];

await assert.rejects(new OpenAI({ baseURL, apiKey: "any" }).models.list(), (error) => error.code === "invalid_api_key");

const client = new OpenAI({ baseURL, apiKey });
for (const stream of [false, true]) {
  const began = performance.now();
  await assert.rejects(
    client.chat.completions.create({ model: "nova-micro", messages, max_tokens: 200, stream }),
    (error) => error instanceof OpenAI.RateLimitError && error.code === "insufficient_quota",
  );
  // Told not to, it does not try again: that would take half a second at least.
  assert(performance.now() - began < 400, "the refusal was repeated");
}
console.log("openai-node", VERSION, "budget ok");
