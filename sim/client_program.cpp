#include "sim/client_program.h"

#include <array>
#include <utility>

namespace statefs::sim {

namespace {

ClientConfig config_with_marks(ClientConfig config, Marks& marks) {
  config.marks = &marks;
  return config;
}

}  // namespace

ClientProgram::ClientProgram(Node& node, const ClientProgramOptions& options, CallUser& user)
    : Program(node), options_(options), user_(user) {
  started();
}

void ClientProgram::started() {
  const Node::Ground& ground = node().ground();
  client_.emplace(ground.suite, options_.local ? nullptr : node().identity(), config_with_marks(options_.config, ground.marks));
}

void ClientProgram::crash(bool silent) {
  Program::crash(silent);
  client_.reset();
  end_.reset();
  opened_ = false;
  waiting_.reset();
  failures_ = {};
  is_ready_ = false;
}

Result<CallId, SubmitError> ClientProgram::submit(const RequestBody& request, Duration timeout) {
  const Time now = node().now().monotonic;
  const auto submitted = client_->submit(request, now + timeout, now);
  if (!submitted.ok()) return submitted;
  frame_.clear();
  encode_request({submitted.value(), request}, frame_);
  node().ground().trace.add(node().id(), TraceKind::call, trace_call_id(incarnation(), submitted.value()), frame_);
  request_wake();
  return submitted;
}

void ClientProgram::break_stream() {
  if (end_) stream(*end_).cut();
}

Time ClientProgram::deadline() const {
  return up() ? client_->deadline() : never;
}

void ClientProgram::work(const std::vector<StreamEnd>&, Now now) {
  if (end_) read_stream(now);
  client_->advance(now);
  report_completions();
  if (end_ && client_->ready()) is_ready_ = true;
  client_->advance(now);  // what was submitted just now goes out in this wake-up
  if (end_ && client_->finished()) lose_stream(now);
  if (waiting_ && client_->outstanding() == 0) waiting_->was_wanted = false;
  if (!end_ && client_->wants_connection(now.monotonic)) {
    end_wait(now);
    end_ = connect(options_.server);
    opened_ = false;
    client_->connecting(now);
    if (const auto cut = std::exchange(cut_, std::nullopt)) stream(*end_).cut_after(cut->from, cut->byte_count);
  }
  if (end_ && opened_) write_output(now);
  report_completions();
}

void ClientProgram::read_stream(Now now) {
  Stream& from = stream(*end_);
  if (!opened_ && from.is_open(end_->side)) {
    opened_ = true;
    std::array<std::uint8_t, client_random_size> fresh{};
    const SecretKey key = node().fresh_key();
    std::memcpy(fresh.data(), key.bytes().data(), key.bytes().size());
    node().random().fill(std::span(fresh).last<client_random_size - 32>());
    client_->connected(fresh, now);
  }
  const ByteView bytes = opened_ ? from.read(end_->side, options_.read_size) : ByteView{};
  if (!bytes.empty()) client_->receive(bytes, now);
  if (from.unread_size(end_->side) > 0) stream_ready(*end_);
  if (from.at_end(end_->side) || from.broken(end_->side)) lose_stream(now);
}

void ClientProgram::write_output(Now now) {
  Stream& to = stream(*end_);
  for (ByteView output = client_->output(); !output.empty(); output = client_->output()) {
    const std::size_t count = to.write(end_->side, output);
    if (count == 0) break;
    client_->output_taken(count);
  }
  if (client_->finished()) lose_stream(now);
}

void ClientProgram::lose_stream(Now now) {
  const StreamId over = end_->stream;
  begin_wait(now);
  close(*end_);
  end_.reset();
  client_->disconnected(now);
  const Disconnect why = client_->last_disconnect();
  if (why != Disconnect::damaged && why != Disconnect::protocol_error && why != Disconnect::handshake_failed) return;
  const Bytes payload{static_cast<std::uint8_t>(why)};
  node().ground().trace.add(node().id(), TraceKind::distrusted, over, payload);
}

void ClientProgram::report_rollback() {
  const std::optional<Rollback> rollback = client_->take_rollback();
  if (!rollback) return;
  Bytes payload;
  Writer writer(payload);
  writer.u64(incarnation());
  writer.u64(rollback->durable_index);
  node().ground().trace.add(node().id(), TraceKind::rolled_back, rollback->seen.head.index, payload);
}

void ClientProgram::begin_wait(Now now) {
  SeenWait wait;
  wait.node = node().id();
  wait.began = node().ground().schedule.now();
  const bool was_ready = std::exchange(is_ready_, false) || client_->ready();
  if (was_ready) failures_ = {0, true};
  // Perhaps it was ready, and then trusted the stream no more, within one wake-up.
  if (!was_ready && client_->finished()) failures_ = {0, false};
  wait.failures = failures_.count++;
  wait.lasted = now.monotonic - Time{};
  wait.was_wanted = failures_.is_exact;
  wait.incarnation = incarnation();
  waiting_ = wait;
}

void ClientProgram::end_wait(Now now) {
  if (!waiting_) return;
  waiting_->time = node().ground().schedule.now();
  waiting_->lasted = nanoseconds(now.monotonic.ns - waiting_->lasted.ns);
  waits_.push_back(*std::exchange(waiting_, std::nullopt));
}

void ClientProgram::report_completions() {
  report_rollback();
  report_lost();
  while (std::optional<Completion> completion = client_->take_completion()) {
    frame_.assign(1, static_cast<std::uint8_t>(completion->result));
    if (completion->result == CallResult::answered) encode_response(completion->response, frame_);
    node().ground().trace.add(node().id(), TraceKind::completion, trace_call_id(incarnation(), completion->call), frame_);
    user_.completed(*this, std::move(*completion));
  }
}

void ClientProgram::report_lost() {
  while (const std::optional<LostWrite> lost = client_->take_lost()) {
    Bytes payload;
    Writer writer(payload);
    writer.u64(lost->index);
    writer.u8(lost->certain ? 1 : 0);
    node().ground().trace.add(node().id(), TraceKind::lost_write, trace_call_id(incarnation(), lost->call), payload);
    user_.lost(*this, *lost);
  }
}

}  // namespace statefs::sim
