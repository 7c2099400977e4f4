// The AI SDK with its providers of OpenAI (Responses) and Anthropic (Messages), against a running `chatrix serve --offline`.
// Usage: node ai.mjs BASE_URL (with /v1)
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { readFileSync } from "node:fs";
import { z } from "zod";

const baseURL = process.argv[2];
const openai = createOpenAI({ baseURL, apiKey: "any" });
const anthropic = createAnthropic({ baseURL, apiKey: "any" });
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const look = (said) => tool({ description: said, inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `${said} in ${city}` });

// The SDK knows the models of OpenAI that reason, and must be told of others.
const thoughtful = { forceReasoning: true, reasoningEffort: "high", reasoningSummary: "auto" };
for (const [provider, thinking] of [
  [openai, { openai: { ...thoughtful } }],
  [openai, { openai: { ...thoughtful, store: false } }],
  [anthropic, { anthropic: { thinking: { type: "adaptive" } } }],
]) {
  const model = provider("claude-sonnet-4-6");
  const complete = await generateText({ model, prompt: "echo Grüße, 世界!", maxRetries: 0 });
  assert.deepEqual([complete.text, complete.finishReason], ["Grüße, 世界!", "stop"]);
  assert(complete.usage.inputTokens > 0 && complete.usage.outputTokens > 0);

  // A whole loop with thoughts: two calls at once, their results, the answer.
  const loop = streamText({
    model, maxRetries: 0, stopWhen: stepCountIs(3), maxOutputTokens: 12000, providerOptions: thinking,
    tools: { get_weather: look("sun"), get_time: look("noon") },
    prompt: 'use get_weather and get_time with {"city": "Zürich"}',
  });
  for await (const part of loop.fullStream) assert.notEqual(part.type, "error", JSON.stringify(part.error ?? part));
  assert.equal(await loop.text, "The tool says: sun in Zürich and noon in Zürich");
  const steps = await loop.steps;
  assert.deepEqual([steps.length, steps[0].toolCalls.length], [2, 2]);
  assert(steps[0].reasoning.length > 0, "it thought");

  const seen = await generateText({
    model, maxRetries: 0,
    messages: [{ role: "user", content: [{ type: "image", image: Buffer.from(pixel, "base64") }] }],
  });
  assert.match(seen.text, /png image/);
  const { object } = await generateObject({ model: provider("claude-haiku-4-5"), prompt: "a city", schema: z.object({ name: z.string() }), maxRetries: 0 });
  assert.deepEqual(object, { name: "offline" });

  const cut = await generateText({ model, prompt: "count to 300", maxOutputTokens: 16, maxRetries: 0 });
  assert.deepEqual([cut.finishReason, cut.text.startsWith("1 2 3")], ["length", true]);

  // An error after the stream began reaches the reader.
  const broken = streamText({ model: provider("nova-micro"), prompt: "break off", maxRetries: 0, onError() {} });
  const errors = [];
  for await (const part of broken.fullStream) if (part.type === "error") errors.push(part.error);
  assert.equal(errors.length, 1);
  assert.match(JSON.stringify(errors[0]) + errors[0].message, /broke off/);
}

const versions = JSON.parse(readFileSync(new URL("package.json", import.meta.url))).dependencies;
console.log(`AI SDK ${versions.ai} with openai ${versions["@ai-sdk/openai"]} and anthropic ${versions["@ai-sdk/anthropic"]} ok`);
