// Runs a WebAssembly program in Node's V8: the first argument, with the others as its own. It may read the checkout and
// what lies beside it. What it imports of a proxy-wasm host is there, and must not be called.
import { readFile } from "node:fs/promises";
import { argv, env, exit } from "node:process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const around = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const wasi = new WASI({ version: "preview1", args: argv.slice(2), env, preopens: { [around]: around }, returnOnExit: true });
const module = await WebAssembly.compile(await readFile(argv[2]));
const imports = { ...wasi.getImportObject() };
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  if (from !== "wasi_snapshot_preview1") {
    const refuse = () => { throw new Error(`${from}.${name} was called: there is no host`); };
    imports[from] = { ...imports[from], [name]: refuse };
  }
}
const { memory, _start } = (await WebAssembly.instantiate(module, imports)).exports;
exit(wasi.start({ exports: { memory, _start } }));
