import { createVertex, type Vertex, type VertexMetadata } from "./vertex.ts";

/** All of a source as one layer. */
export function wholeTree(source: Vertex, metadata: VertexMetadata): Vertex {
  return copyOf(source, { path: "/", unpack: false }, metadata);
}

/** An archive's content, or the file itself. */
export function contentOf(source: Vertex, fileName: string, metadata: VertexMetadata): Vertex {
  return copyOf(source, { path: `/${fileName}`, unpack: true }, metadata);
}

function copyOf(source: Vertex, { path, unpack }: { readonly path: string; readonly unpack: boolean }, metadata: VertexMetadata): Vertex {
  const copy = {
    type: "copy",
    input: 0,
    sources: [path],
    destination: "/",
    chmod: undefined,
    chown: undefined,
    exclude: [],
    parents: false,
    unpack,
    verb: "COPY",
  } as const;
  return createVertex({ type: "file", scratchBase: true, epoch: undefined, actions: [copy] }, [source], metadata);
}
