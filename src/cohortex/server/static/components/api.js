// The one way pages speak to the JSON API: with the header no foreign form can send, and errors that say what to do.
import { word } from "./words.js";

export class ApiError extends Error {
  constructor(status, { message, remedy = "", fields = {}, link = null }) {
    super(message);
    this.status = status;
    this.remedy = remedy ?? "";
    this.fields = fields ?? {};
    this.link = link;  // { href, text }: where to go on, in another window
  }
}

export async function api(url, { method = "GET", body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Cohortex"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let reply;
  try {
    reply = await fetch(url, {
      method, headers, signal, credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { message: word("error.offline"), remedy: word("error.offline_remedy") });
  }
  return answerOf(reply, method);
}

export async function answerOf(reply, method = "GET") {
  if (reply.status === 204) return null;
  const isJson = (reply.headers.get("Content-Type") ?? "").includes("json");
  const content = isJson ? await reply.json() : null;
  if (reply.ok) return content;
  if (reply.status === 401 && !location.pathname.startsWith("/sign-in")) {
    if (method !== "GET") {  // what was typed stays on this page
      throw new ApiError(401, { message: word("error.signed_out"), remedy: word("error.signed_out_remedy"),
        link: { href: "/sign-in", text: word("error.sign_in") } });
    }
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  throw new ApiError(reply.status, content?.error ?? {
    message: word("error.unexpected", { status: reply.status }), remedy: word("error.unexpected_remedy"),
  });
}
