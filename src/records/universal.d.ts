// Globals that Node, Deno and every browser share and that `lib.es2023` does not declare.
// The rooms see these and nothing else of their host.

declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}
