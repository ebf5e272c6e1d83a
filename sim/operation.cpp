#include "sim/operation.h"

#include "core/check.h"
#include "sim/random.h"
#include "sim/script.h"

namespace statefs::sim {
namespace {

std::optional<Operation::Result> result_of(const SeenCall& call) {
  // An IO_ERROR is of a store that failed, and may have kept the commit first.
  if (call.completed == no_place || call.result == CallResult::outcome_unknown || (call.answered() && call.status == Status::io_error)) {
    return Operation::Result::open;
  }
  if (!call.answered()) return std::nullopt;
  if (call.status == Status::ok) return Operation::Result::ok;
  if (call.status == Status::not_found) return Operation::Result::not_found;
  if (call.status == Status::revision_conflict || call.status == Status::revision_changed) return Operation::Result::revision_conflict;
  return std::nullopt;
}

std::optional<Operation> operation_of(const SeenCall& call) {
  const auto result = result_of(call);
  if (!result || (!call.is_mutation() && call.op != Op::get)) return std::nullopt;
  const bool is_part = *result == Operation::Result::ok && call.data.size() != call.total_size;
  if (call.op == Op::get && (*result == Operation::Result::open || is_part)) return std::nullopt;
  Operation operation;
  operation.kind = call.op == Op::put ? Operation::Kind::put : call.op == Op::get ? Operation::Kind::get : Operation::Kind::del;
  operation.result = *result;
  operation.key = call.key;
  operation.called = call.called;
  operation.answered = *result == Operation::Result::open ? 0 : call.completed;
  operation.value = hash_name(as_text(call.op == Op::put ? call.value : call.data));
  operation.expected = call.condition;
  const bool is_told = *result == Operation::Result::revision_conflict || (*result == Operation::Result::ok && call.op != Op::del);
  if (is_told) operation.revision = call.revision;
  return operation;
}

}  // namespace

std::vector<Operation> operations_of(const History& history) {
  std::vector<Operation> operations;
  for (const SeenCall& call : history.calls) {
    if (auto operation = operation_of(call)) operations.push_back(std::move(*operation));
  }
  return operations;
}

// `put /k value=5 if=3 [10, 14) ok revision=4`
std::string describe(const Operation& operation) {
  using Kind = Operation::Kind;
  using Result = Operation::Result;
  const auto kind = [&operation] {
    switch (operation.kind) {
      case Kind::put: return "put";
      case Kind::get: return "get";
      case Kind::del: return "delete";
      case Kind::restart: return "restart";
    }
    STATEFS_CHECK(false);
  };
  const auto result = [&operation] {
    switch (operation.result) {
      case Result::open: return "open";
      case Result::ok: return "ok";
      case Result::not_found: return "not_found";
      case Result::revision_conflict: return "revision_conflict";
    }
    STATEFS_CHECK(false);
  };
  const bool has_value = operation.kind == Kind::put || (operation.kind == Kind::get && operation.result == Result::ok);
  std::string text = std::string(kind()) + " " + printable(operation.key);
  if (has_value) text += " value=" + std::to_string(operation.value);
  if (operation.expected) text += " if=" + std::to_string(*operation.expected);
  text += " [" + std::to_string(operation.called) + ", ";
  text += (operation.result == Result::open ? "" : std::to_string(operation.answered)) + ") " + result();
  if (operation.revision) text += " revision=" + std::to_string(*operation.revision);
  if (operation.loss != Operation::Loss::no) text += operation.loss == Operation::Loss::yes ? " lost" : " maybe lost";
  return text;
}

}  // namespace statefs::sim
