// Every view of the demo store by name.
export const VIEWS = {
  overview: "/",
  "overview-all-time": "/?range=all",
  "overview-filtered": "/?where=country+%3D+DE&tab=downloaders",
  repo: "/repo/model/acme/llama-7b",
  counting: "/counting",
  data: "/data",
};
