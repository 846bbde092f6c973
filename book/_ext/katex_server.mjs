// Renders formulas with KaTeX: one JSON request a line on stdin, one JSON answer a line on stdout.
//
// started as: node katex_server.mjs PATH_TO_katex.mjs
// request:  {"formulas": [{"tex": "...", "display": true}, ...], "macros": {"\\E": "..."}}
// answer:   {"results": [{"html": "..."} or {"error": "...", "position": 12}, ...]}
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { default: katex } = await import(pathToFileURL(process.argv[2]).href);

function render({ tex, display }, macros) {
  try {
    const html = katex.renderToString(tex, {
      displayMode: display,
      output: "htmlAndMathml",
      // anything KaTeX would only warn about (an unknown symbol, say) is a fault of the page too
      strict: "error",
      // a copy: a \gdef in one formula must not reach the next
      macros: { ...macros },
    });
    return { html };
  } catch (error) {
    return { error: error.rawMessage ?? error.message, position: error.position ?? null };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { formulas, macros } = JSON.parse(line);
  const results = formulas.map((formula) => render(formula, macros));
  process.stdout.write(JSON.stringify({ results }) + "\n");
}
