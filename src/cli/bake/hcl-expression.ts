/** Expressions as functions of a scope. Failures have a place and HCL's words. */
import { hclFailure, type HclPlace } from "./hcl-source.ts";
import { innerScope, type HclScope } from "./hcl-scope.ts";
import { hclBoolean, hclEntries, hclEqual, hclNumber, hclText, hclTypeName, isHclList, isHclObject, type HclValue } from "./hcl-value.ts";

export type HclExpression = (scope: HclScope) => HclValue;

export function variableExpression(name: string, place: HclPlace): HclExpression {
  return (scope) => {
    const value = scope.variable(name);
    if (value === undefined) throw hclFailure(place, "Unknown variable", `There is no variable named ${JSON.stringify(name)}.`);
    return value;
  };
}

/** `can` and `try` look whether their arguments have a value at all. */
export function callExpression(name: string, args: readonly HclExpression[], isSpread: boolean, place: HclPlace): HclExpression {
  if (name === "can") return (scope) => valueOrFailure(args[0], scope).value !== undefined;
  if (name === "try") {
    return (scope) => {
      for (const [at, arg] of args.entries()) {
        if (at === args.length - 1) return arg(scope);
        const { value } = valueOrFailure(arg, scope);
        if (value !== undefined) return value;
      }
      throw hclFailure(place, "Not enough function arguments", 'Function "try" expects at least one argument.');
    };
  }
  return (scope) => {
    const call = scope.call(name);
    if (call === undefined) throw hclFailure(place, "Call to unknown function", `There is no function named ${JSON.stringify(name)}.`);
    const values = args.map((arg) => arg(scope));
    const last = values.at(-1) ?? null;
    const spread = isSpread && isHclList(last) ? [...values.slice(0, -1), ...last] : values;
    try {
      return call(spread);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw hclFailure(place, "Error in function call", `Call to function ${JSON.stringify(name)} failed: ${error.message}.`);
    }
  };
}

function valueOrFailure(expression: HclExpression | undefined, scope: HclScope): { readonly value?: HclValue } {
  try {
    return expression === undefined ? {} : { value: expression(scope) };
  } catch {
    return {};
  }
}

export function templateExpression(parts: readonly (string | HclExpression)[], place: HclPlace): HclExpression {
  const [only] = parts;
  // a lone interpolation is the value itself
  if (parts.length === 1 && typeof only === "function") return only;
  return (scope) =>
    parts
      .map((part) => {
        if (typeof part === "string") return part;
        const value = part(scope);
        const text = hclText(value);
        if (text === undefined)
          throw hclFailure(
            place,
            "Invalid template interpolation value",
            `Cannot include the given value in a string template: string required, not ${hclTypeName(value)}.`,
          );
        return text;
      })
      .join("");
}

export function conditionExpression(condition: HclExpression, yes: HclExpression, no: HclExpression, place: HclPlace): HclExpression {
  return (scope) => {
    const value = hclBoolean(condition(scope));
    if (value === undefined) throw hclFailure(place, "Incorrect condition type", "The condition expression must be of type bool.");
    return value ? yes(scope) : no(scope);
  };
}

export function unaryExpression(operator: "!" | "-", operand: HclExpression, place: HclPlace): HclExpression {
  return (scope) => {
    const value = operand(scope);
    const result = operator === "!" ? hclBoolean(value) : hclNumber(value);
    if (result === undefined)
      throw hclFailure(place, "Invalid operand", `Unsuitable value for unary operand: ${operator === "!" ? "a bool" : "a number"} is required.`);
    return typeof result === "boolean" ? !result : -result;
  };
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => HclValue>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
};

export function binaryExpression(operator: string, left: HclExpression, right: HclExpression, place: HclPlace): HclExpression {
  if (operator === "==") return (scope) => hclEqual(left(scope), right(scope));
  if (operator === "!=") return (scope) => !hclEqual(left(scope), right(scope));
  const refuse = (kind: string): Error => hclFailure(place, "Invalid operand", `Unsuitable value for operand: ${kind} required.`);
  if (operator === "&&" || operator === "||") {
    return (scope) => {
      const [a, b] = [hclBoolean(left(scope)), hclBoolean(right(scope))];
      if (a === undefined || b === undefined) throw refuse("bool");
      return operator === "&&" ? a && b : a || b;
    };
  }
  const compute = arithmetic[operator] as (a: number, b: number) => HclValue;
  return (scope) => {
    const [a, b] = [hclNumber(left(scope)), hclNumber(right(scope))];
    if (a === undefined || b === undefined) throw refuse("a number is");
    if (b === 0 && (operator === "/" || operator === "%")) throw hclFailure(place, "Division by zero", "The divisor is zero.");
    return compute(a, b);
  };
}

export function indexExpression(base: HclExpression, key: HclExpression, place: HclPlace): HclExpression {
  return (scope) => {
    const [value, at] = [base(scope), key(scope)];
    if (isHclList(value)) {
      const found = value[hclNumber(at) ?? -1];
      if (found !== undefined) return found;
      throw hclFailure(place, "Invalid index", "The given key does not identify an element in this collection value.");
    }
    if (!isHclObject(value)) throw hclFailure(place, "Invalid index", "This value does not have any indices.");
    const name = hclText(at) ?? "";
    if (!Object.hasOwn(value, name)) throw hclFailure(place, "Unsupported attribute", `This object does not have an attribute named ${JSON.stringify(name)}.`);
    return value[name] as HclValue;
  };
}

/** `base[*]…`: of each element; of something that is no list, of it alone. */
export function splatExpression(base: HclExpression, each: (element: HclValue, scope: HclScope) => HclValue): HclExpression {
  return (scope) => {
    const value = base(scope);
    const elements = isHclList(value) ? value : value === null ? [] : [value];
    return elements.map((element) => each(element, scope));
  };
}

export interface ForParts {
  readonly key: string | undefined;
  readonly value: string;
  readonly collection: HclExpression;
  /** of an object */
  readonly resultKey: HclExpression | undefined;
  readonly result: HclExpression;
  readonly condition: HclExpression | undefined;
  /** `...`: values of one key as a list */
  readonly isGrouped: boolean;
}

export function forExpression(parts: ForParts, place: HclPlace): HclExpression {
  const { key, value, collection, resultKey, result, condition, isGrouped } = parts;
  return (scope) => {
    const found = collection(scope);
    if (!isHclList(found) && !isHclObject(found))
      throw hclFailure(place, "Iteration over non-iterable value", "A value of this type cannot be used as the collection in a 'for' expression.");
    const list: HclValue[] = [];
    const object = new Map<string, HclValue[]>();
    for (const [at, element] of hclEntries(found)) {
      const inner = innerScope(scope, new Map([...(key === undefined ? [] : ([[key, at]] as const)), [value, element]]));
      if (condition !== undefined && hclBoolean(condition(inner)) !== true) continue;
      if (resultKey === undefined) list.push(result(inner));
      else {
        const name = hclText(resultKey(inner)) ?? "";
        object.set(name, [...(isGrouped ? (object.get(name) ?? []) : []), result(inner)]);
      }
    }
    return resultKey === undefined ? list : Object.fromEntries([...object].map(([name, values]) => [name, isGrouped ? values : (values[0] as HclValue)]));
  };
}
