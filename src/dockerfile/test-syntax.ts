import type { SyntaxTree } from "./syntax-tree.ts";

/** One line a node, for tests: kind, first and last line, and what was understood; a directive's, comment's or instruction's own text. */
export function describeTree({ nodes }: SyntaxTree): readonly string[] {
  return nodes.map((node) => {
    const where = `${node.span.start.line}-${node.span.end.line - (node.span.end.column === 1 ? 1 : 0)}`;
    switch (node.kind) {
      case "blank":
        return `${where} blank`;
      case "comment":
        return `${where} comment ${node.text}`.trimEnd();
      case "directive":
        return `${where} directive ${node.name}=${node.value}`;
      case "instruction": {
        const bodies = node.heredocs.map(({ name, raw, expand, chomp, fd }) => {
          const traits = [...(expand ? [] : ["as it is"]), ...(chomp ? ["chomped"] : []), ...(fd === 0 ? [] : [`fd ${fd}`])];
          return ` ${name}${traits.length === 0 ? "" : `(${traits.join(", ")})`}=${JSON.stringify(raw)}`;
        });
        const flags = node.flags.length === 0 ? "" : ` ${JSON.stringify(node.flags)}`;
        return `${where} ${node.keyword}${flags} ${JSON.stringify(node.arguments)}${bodies.join("")}`;
      }
    }
  });
}
