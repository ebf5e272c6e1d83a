#include "sim/rate_model.h"

namespace statefs::sim {
namespace {

constexpr std::uint64_t frame_overhead_max = 700;  // of what is neither a value nor a list, in both directions together

// One that was looked at as a request: before HELLO none is, whatever it says.
bool is_request(const SeenExchange& exchange) {
  const bool is_refused_whole = exchange.is_answered() && exchange.is_readable && exchange.answer.status == Status::malformed;
  return exchange.form == SeenExchange::Form::request && !is_refused_whole;
}
bool greets(const SeenExchange& exchange) { return is_request(exchange) && std::holds_alternative<HelloRequest>(exchange.request.body); }
bool is_mutation(const SeenExchange& exchange) {
  return is_request(exchange) &&
         (std::holds_alternative<PutRequest>(exchange.request.body) || std::holds_alternative<DeleteRequest>(exchange.request.body));
}
bool is_session_verb(const SeenExchange& exchange) {
  if (!is_request(exchange)) return false;
  const Op op = op_of(exchange.request.body);
  return op == Op::open || op == Op::resume || op == Op::close;
}
const MutationResponse* mutation_of(const SeenExchange& exchange) { return std::get_if<MutationResponse>(&exchange.answer.body); }

bool is_refusal(const SeenExchange& exchange) {
  const Status status = exchange.answer.status;
  if (status == Status::overloaded) return true;
  if (status == Status::malformed || status == Status::unsupported) return true;
  if (status == Status::ok || status == Status::io_error) return false;
  if (is_session_verb(exchange)) return true;
  const auto* const mutation = mutation_of(exchange);
  if (mutation != nullptr && mutation->index != 0) return !mutation->replayed;
  if (mutation != nullptr) return status != Status::audit_unavailable && status != Status::no_space && status != Status::stage_missing;
  return status == Status::access_denied || status == Status::invalid_key || status == Status::key_too_long || status == Status::value_too_large;
}

std::uint64_t payload_of(const SeenExchange& exchange, bool declared) {
  std::uint64_t size = 0;
  if (const auto* put = std::get_if<PutRequest>(&exchange.request.body)) size += declared ? put->value_size : put->value.size();
  if (const auto* stage = std::get_if<StageRequest>(&exchange.request.body)) size += declared ? stage->chunk_size : stage->chunk.size();
  if (const auto* got = std::get_if<GetResponse>(&exchange.answer.body)) size += got->data.size();
  if (const auto* list = std::get_if<ListResponse>(&exchange.answer.body)) {
    for (const ListEntry& entry : list->entries) size += entry.key.size() + (declared ? 40u : 0u);
  }
  return size;
}

}  // namespace

RateUse refusals_of(const SeenExchange& exchange, const PeerRateLimits& limits) {
  const bool is_known = exchange.is_answered() && exchange.is_readable;
  if (is_known && is_refusal(exchange)) return {1, 2};  // one that could not be put off is charged once more
  if (!is_known || exchange.answer.status != Status::ok) return {0, 2};
  const auto* const mutation = mutation_of(exchange);
  const bool may_be_beyond = limits.requests.limits() || limits.bytes.limits();
  const bool cannot_wait = greets(exchange) || (mutation != nullptr && mutation->replayed);
  return {0, may_be_beyond && cannot_wait ? 1u : 0u};
}

RateUse requests_of(const SeenExchange& exchange) {
  if (!is_request(exchange)) return {};
  if (!exchange.is_answered() || !exchange.is_readable) return {0, 1};
  const bool may_be_put_off = !is_session_verb(exchange) && !std::holds_alternative<StageRequest>(exchange.request.body);
  if (exchange.answer.status == Status::overloaded) return {0, may_be_put_off ? 0u : 1u};
  const auto* const mutation = mutation_of(exchange);
  const bool cannot_wait = greets(exchange) || (is_mutation(exchange) && (mutation == nullptr || mutation->replayed || mutation->index == 0));
  return {cannot_wait ? 0u : 1u, 1};
}

RateUse bytes_of(const SeenExchange& exchange) {
  const RateUse requests = requests_of(exchange);
  if (requests.possible == 0) return {};
  RateUse use;
  if (requests.certain != 0) use.certain = payload_of(exchange, false) + 2 * limits::frame_header_size;
  use.possible = payload_of(exchange, true) + frame_overhead_max + limits::slots_per_session * 32;
  if (!exchange.is_answered()) use.possible += limits::frame_size_max;
  return use;
}

RateUse session_events_of(const SeenExchange& exchange) {
  if (!is_session_verb(exchange)) return {};
  const bool done = exchange.is_answered() && exchange.answer.status != Status::overloaded && exchange.answer.status != Status::io_error;
  return {done ? 1u : 0u, 2};  // an OPEN may evict
}

bool was_put_off(const SeenExchange& exchange, const PeerRateLimits& limits) {
  if (!limits.requests.limits() && !limits.bytes.limits()) return false;
  return exchange.is_answered() && exchange.is_readable && is_request(exchange) && exchange.answer.status == Status::overloaded;
}

bool RateMost::take(Time from, Time until, std::uint64_t before, std::uint64_t after) {
  if (!limit_.limits()) return true;
  const auto per_ms = static_cast<std::int64_t>(limit_.per_second) * 11;  // a tenth more than there is
  const std::int64_t from_ms = from.ns / milliseconds(1).ns;
  until_ms_ = std::max(until_ms_, until.ns / milliseconds(1).ns + 1);
  best_ = empty_ ? from_ms * per_ms - sum_ : std::max(best_, from_ms * per_ms - sum_);
  empty_ = false;
  sum_ += static_cast<std::int64_t>(before) * 10'000;
  const std::int64_t excess = best_ + sum_ - until_ms_ * per_ms;
  sum_ += static_cast<std::int64_t>(after) * 10'000;
  return excess <= static_cast<std::int64_t>(limit_.burst) * 10'000;
}

}  // namespace statefs::sim
