// Runs before an evaluator's own code. What the engine does in one step cannot be interrupted between statements, so everything here that could
// be made to take very long or very much in one step is either taken away or bounded. Written in the language itself: what is bounded here is
// counted statement by statement like the author's own code.
(function (global, maxText, maxItems) {
  "use strict";
  const { Array, Object, String, Number, RangeError, TypeError, Map, Set, Math } = global;
  const { isArray } = Array;
  const { defineProperty, getOwnPropertyNames, getOwnPropertyDescriptor, getPrototypeOf, keys } = Object;
  const apply = Reflect.apply;
  const quote = JSON.stringify;
  const call = (f, self, ...args) => apply(f, self, args);

  const tooLong = () => new RangeError(`a text of more than ${maxText} characters`);
  const tooMany = () => new RangeError(`a list of more than ${maxItems} items`);
  const put = (target, name, value) => defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });

  for (const name of ["Proxy", "ShadowRealm", "SharedArrayBuffer", "ArrayBuffer", "DataView", "Atomics", "WeakRef", "FinalizationRegistry", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array", "Float16Array", "Float32Array", "Float64Array", "BigInt", "Iterator", "AsyncIterator", "Temporal", "Intl", "AsyncDisposableStack", "DisposableStack", "eval", "Function", "System", "importNamespace", "host", "clr"]) delete global[name];

  // Texts.
  const text = String.prototype;
  const bounded = (name, size) => {
    const original = text[name];
    put(text, name, {
      [name](...args) {
        const self = String(this);
        const [plain, length] = size(self, args);
        if (!(length <= maxText)) throw tooLong();
        return apply(original, self, plain);
      },
    }[name]);
  };
  bounded("repeat", (self, [n]) => ((n = Number(n)), [[n], self.length * n || 0]));
  for (const name of ["padStart", "padEnd"]) bounded(name, (self, [n, fill]) => ((n = Number(n) || 0), (fill = fill === undefined ? " " : String(fill)), [[n, fill], n]));
  bounded("concat", (self, more) => ((more = more.map((m) => String(m))), [more, more.reduce((sum, m) => sum + m.length, self.length)]));
  const growth = (self, replacement) => {
    let dollars = 0;
    for (let at = replacement.indexOf("$"); at >= 0; at = replacement.indexOf("$", at + 1)) dollars += replacement[at + 1] === "`" || replacement[at + 1] === "'" ? self.length + 1 : 1;
    return (self.length + 1) * replacement.length + dollars * self.length;
  };
  const bounding = (holder, name) => {
    const original = holder[name];
    const isRegex = typeof name === "symbol";
    put(holder, name, function (first, second) {
      const replacement = typeof second === "function" ? second : String(second);
      // A pattern must be one of the language's own: an object of the author's could do anything here.
      const self = isRegex ? this : String(this);
      const subject = isRegex ? String(first) : self;
      const pattern = isRegex ? subject : first instanceof RegExp ? first : String(first);
      if (typeof replacement === "string" && growth(subject, replacement) > maxText * 64) throw tooLong();
      return call(original, self, pattern, replacement);
    });
  };
  const { RegExp } = global;
  bounding(RegExp.prototype, Symbol.replace);
  bounding(text, "replace");
  bounding(text, "replaceAll");
  for (const name of ["anchor", "big", "blink", "bold", "fixed", "fontcolor", "fontsize", "italics", "link", "small", "strike", "sub", "sup"]) delete text[name];

  // Lists: real ones of bounded length only, so that a length that lies cannot keep the engine busy.
  const list = Array.prototype;
  const checked = (self) => {
    if (!isArray(self)) throw new TypeError("this works on arrays only; make one with Array.from");
    if (self.length > maxItems) throw tooMany();
    return self;
  };
  for (const name of getOwnPropertyNames(list)) {
    const original = list[name];
    if (name === "constructor" || typeof original !== "function") continue;
    put(list, name, { [name](...args) { return apply(original, checked(this), args); } }[name]);
  }
  put(list, Symbol.iterator, list.values);
  const join = (self, separator, seen) => {
    let all = "";
    for (let i = 0; i < self.length; i++) {
      if (i > 0) all += separator;
      const item = self[i];
      if (item !== null && item !== undefined) all += isArray(item) ? join(item, ",") : String(item);
      if (all.length > maxText) throw tooLong();
    }
    return all;
  };
  put(list, "join", function (separator) { return join(checked(this), separator === undefined ? "," : String(separator)); });
  put(list, "toString", function () { return isArray(this) ? join(checked(this), ",") : "[object Object]"; });
  delete list.toLocaleString;
  put(list, "flat", function (depth) {
    const all = [];
    const walk = (items, left) => {
      for (const item of checked(items)) {
        if (isArray(item) && left > 0) walk(item, left - 1);
        else all[all.length] = item;
        if (all.length > maxItems) throw tooMany();
      }
    };
    walk(this, depth === undefined ? 1 : Number(depth) || 0);
    return all;
  });
  put(list, "flatMap", function (f, self) { return this.map((item, i) => call(f, self, item, i, this)).flat(); });
  put(list, "concat", function (...more) {
    const all = [];
    for (const part of [checked(this), ...more]) {
      if (isArray(part)) for (const item of checked(part)) all[all.length] = item;
      else all[all.length] = part;
      if (all.length > maxItems) throw tooMany();
    }
    return all;
  });
  put(Array, "from", function (source, f, self) {
    const all = [];
    const add = (item) => {
      if (all.length >= maxItems) throw tooMany();
      all[all.length] = f === undefined ? item : call(f, self, item, all.length);
    };
    if (source !== null && source !== undefined && source[Symbol.iterator] !== undefined) for (const item of source) add(item);
    else if (source !== null && source !== undefined) for (let i = 0, n = Number(source.length) || 0; i < n; i++) add(source[i]);
    return all;
  });
  delete Array.fromAsync;

  // Calls with lists of arguments.
  const arguments_ = (given) => {
    if (given === undefined || given === null) return [];
    const all = [];
    for (let i = 0, n = Number(given.length) || 0; i < n; i++) {
      if (i >= 1000) throw new RangeError("more than 1000 arguments");
      all[i] = given[i];
    }
    return all;
  };
  const functions = getPrototypeOf(function () {});
  put(functions, "apply", function (self, given) { return apply(this, self, arguments_(given)); });
  const bind = functions.bind;
  put(functions, "bind", function (self, ...first) {
    const f = this;
    if (typeof f !== "function") throw new TypeError("not a function");
    return (...rest) => apply(f, self, [...first, ...rest]);
  });
  put(Reflect, "apply", (f, self, given) => apply(f, self, arguments_(given)));
  delete Reflect.construct;
  const setPrototypeOf = Object.setPrototypeOf;
  const shallow = (prototype) => {
    let depth = 0;
    for (let p = prototype; p !== null && p !== undefined; p = getPrototypeOf(p)) if (++depth > 50) throw new RangeError("a chain of more than 50 prototypes");
    return prototype;
  };
  put(Object, "setPrototypeOf", (target, prototype) => setPrototypeOf(target, shallow(prototype)));
  put(Reflect, "setPrototypeOf", (target, prototype) => (setPrototypeOf(target, shallow(prototype)), true));
  const create = Object.create;
  put(Object, "create", (prototype, properties) => (properties === undefined ? create(shallow(prototype)) : create(shallow(prototype), properties)));
  const proto = getOwnPropertyDescriptor(Object.prototype, "__proto__");
  if (proto) defineProperty(Object.prototype, "__proto__", { get: proto.get, set(prototype) { if (prototype === null || typeof prototype === "object") setPrototypeOf(this, shallow(prototype)); }, configurable: true, enumerable: false });

  // JSON: the engine's writer follows shared and nested values without a pause.
  const write = (value, indent, before) => {
    if (value !== null && typeof value === "object" && typeof value.toJSON === "function") value = value.toJSON();
    switch (typeof value) {
      case "number": return value - value === 0 ? String(value) : "null";
      case "boolean": return String(value);
      case "string": return quote(value);
      case "object": break;
      default: return undefined;
    }
    if (value === null) return "null";
    if (value instanceof Number || value instanceof String || value instanceof global.Boolean) return write(value.valueOf(), indent, before);
    const inner = before + indent;
    const parts = [];
    let length = 0;
    const add = (part) => {
      parts[parts.length] = part;
      if ((length += part.length) > maxText) throw tooLong();
    };
    if (isArray(value)) for (const item of checked(value)) add(write(item, indent, inner) ?? "null");
    else
      for (const key of keys(value)) {
        const part = write(value[key], indent, inner);
        if (part !== undefined) add(`${quote(key)}:${indent ? " " : ""}${part}`);
      }
    const [open, close] = isArray(value) ? ["[", "]"] : ["{", "}"];
    if (parts.length === 0) return open + close;
    return indent ? `${open}\n${inner}${join(parts, `,\n${inner}`)}\n${before}${close}` : open + join(parts, ",") + close;
  };
  const stringify = (value, replacer, space) => {
    if (replacer !== undefined && replacer !== null) throw new TypeError("JSON.stringify with a replacer is not available here");
    return write(value, typeof space === "number" ? text.repeat.call(" ", Math.min(10, Math.max(0, space))) : space === undefined || space === null ? "" : String(space).slice(0, 10), "");
  };
  put(JSON, "stringify", stringify);

  // The same random numbers each time: the same answer gets the same score.
  let seed = 0x9e3779b9;
  put(Math, "random", () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  });

  const said = [];
  const { slice } = text;
  const { map } = list;
  const say = (...words) => {
    if (said.length < 20) said[said.length] = quote(call(slice, join(call(map, words, (w) => (typeof w === "string" ? w : (stringify(w) ?? String(w)))), " "), 0, 500));
  };
  put(global, "console", { log: say, info: say, warn: say, error: say, debug: say });

  // What the host calls: the author's function with run and example, answered as one text.
  return (f, run, example) => {
    // Put together by hand: what the author did to the prototypes of objects must not reach the answer.
    const answer = (value) => `{"type":"${value === null ? "null" : typeof value}","isFinite":${typeof value !== "number" || value - value === 0},"value":${write(value, "", "") ?? "null"},"said":[${join(said, ",")}]}`;
    const result = f(run, example);
    return result !== null && typeof result === "object" && typeof result.then === "function" ? result.then(answer) : answer(result);
  };
})(globalThis, 1000000, 100000);
