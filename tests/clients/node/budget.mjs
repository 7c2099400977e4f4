// What the openai Node client makes of a budget that is used up, and of a wrong key. Usage: node budget.mjs BASE_URL KEY
import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const [baseURL, apiKey] = process.argv.slice(2);
const messages = [{ role: "user", content: "count to 200" }];

await assert.rejects(new OpenAI({ baseURL, apiKey: "any" }).models.list(), (error) => error.code === "invalid_api_key");

let sent = 0;
const counting = (...request) => {
  sent += 1;
  return fetch(...request);
};
const client = new OpenAI({ baseURL, apiKey, fetch: counting });
for (const stream of [false, true]) {
  sent = 0;
  await assert.rejects(
    client.chat.completions.create({ model: "nova-micro", messages, max_tokens: 200, stream }),
    (error) => error instanceof OpenAI.APIError && error.status === 402 && error.code === "insufficient_quota",
  );
  // Told not to, it does not try again.
  assert.equal(sent, 1, "the refusal was repeated");
}
console.log("openai-node", VERSION, "budget ok");
