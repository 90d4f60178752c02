// Every view of the demo store by name.
export const VIEWS = {
  overview: "/",
  "overview-all-time": "/?range=all",
  "overview-filtered": "/?where=country+%3D+DE&tab=downloaders",
  repo: "/repo/model/acme/llama-7b",
  "repo-year": "/repo/model/acme/llama-7b?range=all&with=model:acme/qwen2.5-base-int8&day=2025-11-12",
  "repo-spikes": "/repo/model/acme/llama-7b?range=all&panel=spikes",
  counting: "/counting",
  data: "/data",
};
