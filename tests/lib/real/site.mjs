// A small site for the servers that read pages: one with a button that changes it.
import { serve } from './http.mjs';

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ants</title></head>
<body><main><h1>Ants of the garden</h1>
<p>An ant carries up to <b>fifty</b> times its own weight, and a colony of the garden counts some ten thousand of them.</p>
<label>Name <input id="name" value=""></label>
<button onclick="document.querySelector('output').textContent = 'Fed ' + document.querySelector('#name').value">Feed</button>
<output></output></main>
<script>console.log('the page is there')</script></body></html>
`;

/** Serves it. */
export function site(t) {
  return serve(t, { 'GET /ants': () => ({ status: 200, type: 'text/html; charset=utf-8', body: PAGE }) });
}
