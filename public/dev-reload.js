// Linked by the server only under `make dev`: reloads the page after each build.
new EventSource(document.currentScript.dataset.url || "http://127.0.0.1:3001/").onmessage = () => location.reload();
