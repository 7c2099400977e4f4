// The AI SDK as Jan uses it, against a running `chatrix serve --offline`. Usage: node client.mjs BASE_URL
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, streamText } from "ai";

const baseURL = process.argv[2];
// Jan's own headers: a key twice, and the origin of its window.
const headers = { "x-api-key": "any", Origin: "tauri://localhost" };
const provider = createOpenAICompatible({ name: "chatrix", baseURL, apiKey: "any", headers, includeUsage: true });

// Jan lists models by itself, by bare concatenation.
const models = await (await fetch(`${baseURL}/models`, { headers: { ...headers, Authorization: "Bearer any" } })).json();
assert(models.data.some(({ id }) => id === "claude-sonnet-4"));

const prompt = "echo Grüße, 世界!";
const complete = await generateText({ model: provider("claude-haiku"), prompt, maxRetries: 0 });
assert.equal(complete.text, "Grüße, 世界!");
assert.equal(complete.finishReason, "stop");
assert(complete.usage.totalTokens > 0);

const streamed = streamText({ model: provider("deepseek"), prompt, temperature: 0.8, topP: 0.95, maxRetries: 0 });
let text = "";
for await (const part of streamed.fullStream) {
  assert.notEqual(part.type, "error", JSON.stringify(part));
  if (part.type === "text-delta") text += part.text;
}
assert.equal(text, "Grüße, 世界!");
assert.equal(await streamed.finishReason, "stop");
assert((await streamed.usage).totalTokens > 0);

await assert.rejects(generateText({ model: provider("gpt-4o"), prompt, maxRetries: 0 }), (error) => {
  assert(APICallError.isInstance(error));
  assert.equal(error.statusCode, 404);
  assert.match(error.message, /no model is called "gpt-4o"/);
  return true;
});

console.log("AI SDK 5 with openai-compatible 1 ok");
