// The AI SDK as Jan uses it (5) and as it is now (6: the same script, in ../ai6), against a running `chatrix serve --offline`. Usage: node client.mjs BASE_URL
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { readFileSync } from "node:fs";
import { z } from "zod";

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

// A whole tool loop: two calls at once, their results, the answer.
const look = (said) => tool({ description: said, inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `${said} in ${city}` });
const loop = streamText({
  model: provider("claude-haiku"), maxRetries: 0, stopWhen: stepCountIs(3),
  tools: { get_weather: look("sun"), get_time: look("noon") },
  prompt: 'use get_weather and get_time with {"city": "Zürich"}',
});
assert.equal(await loop.text, "The tool says: sun in Zürich and noon in Zürich");
assert.equal((await loop.steps)[0].toolCalls.length, 2);

// An image, thoughts, an answer by schema.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const seen = await generateText({
  model: provider("claude-haiku"), maxRetries: 0, providerOptions: { chatrix: { reasoningEffort: "high" } },
  messages: [{ role: "user", content: [{ type: "text", text: " " }, { type: "image", image: Buffer.from(pixel, "base64") }] }],
});
assert.match(seen.text, /png image/);
assert(seen.reasoningText);
const structured = createOpenAICompatible({ name: "chatrix", baseURL, apiKey: "any", supportsStructuredOutputs: true });
const { object } = await generateObject({ model: structured("claude-haiku-4-5"), prompt: "a city", schema: z.object({ name: z.string() }), maxRetries: 0 });
assert.deepEqual(object, { name: "offline" });

// An error after the stream began reaches the reader.
const broken = streamText({ model: provider("nova-micro"), prompt: "break off", maxRetries: 0, onError() {} });
const errors = [];
for await (const part of broken.fullStream) if (part.type === "error") errors.push(part.error);
assert.equal(errors.length, 1);
assert.match(JSON.stringify(errors[0]) + errors[0].message, /broke off/);

const versions = JSON.parse(readFileSync(new URL("package.json", import.meta.url))).dependencies;
console.log(`AI SDK ${versions.ai} with openai-compatible ${versions["@ai-sdk/openai-compatible"]} ok`);
