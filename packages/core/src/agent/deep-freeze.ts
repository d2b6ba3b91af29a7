/** Freezes plain data all the way down. What is frozen already is not looked into again. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  // The bytes of a view cannot be frozen.
  if (ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value)) for (const element of value) deepFreeze(element);
  else for (const name in value) deepFreeze(value[name]);
  return value;
}
