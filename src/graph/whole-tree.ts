import { createVertex, type Vertex, type VertexMetadata } from "./vertex.ts";

/** All of a source as one layer. */
export function wholeTree(source: Vertex, metadata: VertexMetadata): Vertex {
  const copy = {
    type: "copy",
    input: 0,
    sources: ["/"],
    destination: "/",
    chmod: undefined,
    chown: undefined,
    exclude: [],
    parents: false,
    unpack: false,
    verb: "COPY",
  } as const;
  return createVertex({ type: "file", scratchBase: true, epoch: undefined, actions: [copy] }, [source], metadata);
}
