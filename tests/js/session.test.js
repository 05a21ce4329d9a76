import assert from "node:assert/strict";
import { test } from "node:test";
import { leaving, showsOnly, whatToDo } from "../../static/js/state/session.js";

test("the end of a session is said two minutes before, once", () => {
  assert.equal(whatToDo(121_000, false, false), null);
  assert.equal(whatToDo(120_000, false, false), "warn");
  assert.equal(whatToDo(60_000, false, true), null);
});

test("a session that is over leads to the door", () => {
  assert.equal(whatToDo(0, false, true), "leave");
  assert.equal(leaving({ pathname: "/alarms/", search: "?show=unacked" }), "/sign-in?next=%2Falarms%2F%3Fshow%3Dunacked");
});

test("a wall that only shows stays signed in and asks nobody", () => {
  assert.equal(whatToDo(3_600_000, true, false), null);
  assert.equal(whatToDo(3_599_000, true, false), "stay");
  assert.equal(whatToDo(60_000, true, false), "stay");
});

test("only a wall display whose account only looks is asked nothing", () => {
  assert.equal(showsOnly("wall", { looksOnly: "" }), true);
  assert.equal(showsOnly(undefined, { looksOnly: "" }), false);
  // Staff that may acknowledge nothing, and an operator who looks at the past: both may do something.
  assert.equal(showsOnly("wall", {}), false);
  assert.equal(showsOnly("wall", { at: "1" }), false);
  assert.equal(showsOnly("wall", { mayAck: "" }), false);
});

test("a session whose end is not known ends by itself", () => {
  assert.equal(whatToDo(null, false, false), null);
});
