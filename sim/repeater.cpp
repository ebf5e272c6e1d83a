#include "sim/repeater.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {
namespace {

// Wire ids: what it is for, the slot and the call. A repeated request has another id than the first.
constexpr std::uint64_t session_kind = 1, call_kind = 2, probe_kind = 3;
constexpr std::uint64_t wire_id(std::uint64_t kind, std::uint64_t line, std::uint64_t call) { return kind << 60 | line << 40 | call; }

constexpr Duration patience = seconds(5);        // with a server that says nothing
constexpr Duration pause_of_retry = milliseconds(50);

// Of a sequence that was used.
bool is_final(Status status) {
  constexpr Status final_ones[] = {Status::ok,          Status::not_found,         Status::access_denied, Status::value_too_large,
                                   Status::key_too_long, Status::invalid_key, Status::revision_conflict, Status::quota_exceeded};
  return std::find(std::begin(final_ones), std::end(final_ones), status) != std::end(final_ones);
}

}  // namespace

Repeater::Repeater(Node& node, const RepeaterOptions& options)
    : Program(node), options_(options), random_(node.ground().random.stream("repeater/" + std::to_string(node.id()))) {
  lines_.resize(options.slot_count);
  random_.fill(instance_);
  request_wake();
}

Time Repeater::deadline() const {
  if (done() && !link_) return never;
  if (!link_) return due_;
  Time due = heard_ + patience;
  if (!link_->established()) return due;
  if (step_ != Step::joined) return asked_ ? due : earlier_of(due, due_);
  for (const Line& line : lines_) due = earlier_of(due, line.next);
  return due;
}

void Repeater::work(const std::vector<StreamEnd>&, Now now) {
  if (link_) {
    std::vector<RawResponse> responses;
    const bool alive = link_->read(responses);
    if (!responses.empty()) heard_ = now.monotonic;
    for (const RawResponse& each : responses) take(each.response, now);
    if (!alive || done() || now.monotonic >= heard_ + patience) drop(now);
  } else if (!done() && now.monotonic >= due_) {
    link_.emplace(node(), connect(options_.server), options_.server_key);
    heard_ = now.monotonic;
    step_ = Step::apart;
    asked_ = false;
  }
  if (!link_) return;
  if (link_->established() && step_ != Step::joined) ask(now);
  if (step_ == Step::joined) call_next(now);
  link_->flush();
}

void Repeater::drop(Now now) {
  close(link_->end());
  link_.reset();
  due_ = now.monotonic + pause_of_retry;
}

void Repeater::ask(Now now) {
  if (asked_ || now.monotonic < due_) return;
  asked_ = true;
  const std::uint64_t id = wire_id(session_kind, 0, 0);
  if (step_ == Step::closing) return link_->send({id, CloseRequest{session_, generation_}});
  ++generation_;
  if (session_ == 0) return link_->send({id, OpenRequest{instance_, generation_}});
  link_->send({id, ResumeRequest{instance_, generation_}});
}

void Repeater::take(const Response& response, Now now) {
  const std::uint64_t kind = response.id >> 60;
  const auto line = static_cast<std::size_t>(response.id >> 40 & 0xff);
  if (kind == session_kind) return take_session(response, now);
  if (kind == probe_kind && is_final(response.status) && std::holds_alternative<MutationResponse>(response.body)) {
    // What may not run did: a completion of no call, which every check of a history objects to.
    const Bytes none{static_cast<std::uint8_t>(CallResult::outcome_unknown)};
    node().ground().trace.add(node().id(), TraceKind::completion, 0, none);
  }
  if (kind == call_kind) take_mutation(line, response, now);
}

void Repeater::take_session(const Response& response, Now now) {
  asked_ = false;
  const auto* const answer = std::get_if<SessionResponse>(&response.body);
  if (answer == nullptr) return;
  const bool gone = response.status == Status::session_unknown;
  if (response.status == Status::ok || gone) {
    if (step_ == Step::closing || gone) {
      abandon(!gone);
      return;
    }
    if (session_ == 0) lines_.assign(options_.slot_count, Line{});
    session_ = answer->session;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (answer->slots[i].sequence < lines_[i].used) step_ = Step::closing;
      lose(i, answer->slots[i].sequence, true);
    }
    if (step_ == Step::closing) return;
    step_ = Step::joined;
    written_.clear();  // a table is told once it is durable
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].call && (!lines_[i].call->answered || random_.chance(options_.repeat))) send(i, call_kind);
    }
    return;
  }
  if (response.status == Status::fenced) generation_ = std::max(generation_, answer->generation);
  due_ = now.monotonic + pause_of_retry;
}

// The session is over: what had no answer will get none.
void Repeater::abandon(bool certain) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].call && !lines_[i].call->answered) complete(*lines_[i].call, CallResult::outcome_unknown, {});
    if (!certain) lose(i, 0, false);
  }
  written_.clear();
  lines_.assign(options_.slot_count, Line{});
  random_.fill(instance_);
  generation_ = 0;
  session_ = 0;
  step_ = Step::apart;
}

void Repeater::lose(std::size_t line, std::uint64_t above, bool certain) {
  for (const Written& each : written_) {
    if (each.line != line || each.sequence <= above) continue;
    Bytes payload;
    Writer writer(payload);
    writer.u64(each.index);
    writer.u8(certain ? 1 : 0);
    node().ground().trace.add(node().id(), TraceKind::lost_write, each.id, payload);
  }
  std::erase_if(written_, [&](const Written& each) { return each.line == line && each.sequence > above; });
}

void Repeater::take_mutation(std::size_t at, const Response& response, Now now) {
  const auto* const answer = std::get_if<MutationResponse>(&response.body);
  Line& line = lines_.at(at);
  if (answer == nullptr || !line.call || line.call->id != (response.id & 0xffffffffff)) return;
  std::erase_if(written_, [answer](const Written& each) { return each.index <= answer->head.index; });
  Call& call = *line.call;
  if (!is_final(response.status)) {
    if (response.status == Status::session_unknown || response.status == Status::fenced) step_ = Step::apart;
    due_ = now.monotonic + pause_of_retry;
    if (!line.call->answered) line.next = due_;
    return;
  }
  if (answer->replayed) ++repeated_;
  if (!call.answered) {
    call.answered = true;
    call.status = response.status;
    call.index = answer->index;
    call.revision = answer->revision;
    line.used = call.sequence;
    const std::uint64_t pause = random_.below(static_cast<std::uint64_t>(options_.pause_max.ns) + 1);
    line.next = now.monotonic + nanoseconds(static_cast<std::int64_t>(pause));
    if (response.status == Status::ok && answer->index > answer->head.index) written_.push_back({at, call.sequence, call.id, answer->index});
    Response said = response;
    said.id = call.id;
    complete(call, CallResult::answered, said);
    if (random_.chance(options_.repeat)) send(at, call_kind);
  } else if (call.status != response.status || call.index != answer->index || call.revision != answer->revision) {
    complete(call, CallResult::answered, response);  // another answer than before
  }
}

void Repeater::complete(Call& call, CallResult result, const Response& response) {
  Bytes frame{static_cast<std::uint8_t>(result)};
  if (result == CallResult::answered) encode_response(response, frame);
  node().ground().trace.add(node().id(), TraceKind::completion, call.id, frame);
  completed_ += completed_ < options_.call_count ? 1 : 0;
}

Request Repeater::request_of(const Call& call, const SlotRef& at, std::uint64_t id) {
  if (call.op == Op::del) return {id, DeleteRequest{at, {}, as_bytes(call.key)}};
  return {id, PutRequest{at, {}, as_bytes(call.key), static_cast<std::uint32_t>(call.value.size()), call.value, {}}};
}

void Repeater::call_next(Now now) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    if (now.monotonic < line.next) continue;
    line.next = never;
    if (line.call && !line.call->answered) {
      send(i, call_kind);  // it was not taken before
      continue;
    }
    if (ids_ == options_.call_count) continue;
    Call call;
    call.id = ++ids_;
    call.op = random_.chance({1, 4}) ? Op::del : Op::put;
    call.sequence = line.used + 1;
    line.before = std::move(line.call);
    const bool outside = random_.chance(options_.outside);
    call.key = (outside ? "/state/outside/r" : "/state/shared/r") + std::to_string(random_.below(options_.key_count));
    if (call.op == Op::put) {
      std::string text = std::to_string(node().id()) + ".r." + std::to_string(call.id) + ".";
      text.resize(text.size() + random_.skewed(options_.value_size_max), 'r');
      call.value.assign(text.begin(), text.end());
    }
    line.call = std::move(call);
    Bytes frame;
    encode_request(request_of(*line.call, {}, line.call->id), frame);
    node().ground().trace.add(node().id(), TraceKind::call, line.call->id, frame);
    if (random_.chance(options_.probe)) probe(i);
    send(i, call_kind);
    if (random_.chance(options_.repeat)) send(i, call_kind);  // while it is under way
  }
}

void Repeater::send(std::size_t line, std::uint64_t kind) {
  const Call& call = *lines_[line].call;
  const SlotRef at{session_, call.sequence, generation_, static_cast<std::uint16_t>(line)};
  link_->send(request_of(call, at, wire_id(kind, line, call.id)));
  if (!random_.chance(options_.cut)) return;
  link_->flush();
  link_->stream().cut();
}

// Nothing of this may run, whatever becomes of the call that follows: a sequence that is used or will not be next, another
// generation or session. Its key is one that calls write, so that it shows if it does.
void Repeater::probe(std::size_t line) {
  const Call& call = *lines_[line].call;
  SlotRef at{session_, call.sequence, generation_, static_cast<std::uint16_t>(line)};
  const std::uint64_t id = wire_id(probe_kind, line, call.id);
  const std::string value = "probe";
  switch (random_.below(8)) {
    case 0: at.sequence -= 1; break;  // with another request than before
    case 1: at.sequence -= at.sequence > 1 ? 2 : 1; break;
    case 2: at.sequence += 5; break;
    case 3: at.generation -= 1; break;
    case 4: at.session += 1; break;
    case 5:
    case 6: link_->send({id, OutcomeRequest{instance_, call.sequence - std::min(random_.below(4), call.sequence), at.slot}}); return;
    default: return probe_nearly_same(line);
  }
  link_->send({id, PutRequest{at, {}, as_bytes(call.key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}}});
}

// What was answered last, with its sequence, but for its key, its value, its op or a condition.
void Repeater::probe_nearly_same(std::size_t line) {
  if (!lines_[line].before) return;
  Call other = *lines_[line].before;
  const std::uint64_t id = wire_id(probe_kind, line, lines_[line].call->id);
  const SlotRef at{session_, other.sequence, generation_, static_cast<std::uint16_t>(line)};
  switch (random_.below(4)) {
    case 0: other.key.back() = other.key.back() == '0' ? '1' : '0'; break;
    case 1:
      if (other.value.empty()) other.key += '0';
      else other.value.back() ^= 1;
      break;
    case 2:
      other.op = other.op == Op::put ? Op::del : Op::put;
      other.value.clear();
      break;
    default: {
      const std::uint64_t condition = random_.chance({1, 2}) ? 0 : other.revision;
      Request request = request_of(other, at, id);
      if (auto* put = std::get_if<PutRequest>(&request.body)) put->expected_revision = condition;
      if (auto* del = std::get_if<DeleteRequest>(&request.body)) del->expected_revision = condition;
      return link_->send(request);
    }
  }
  link_->send(request_of(other, at, id));
}

}  // namespace statefs::sim
