// chunks: a value above one request, in and out in pieces, over streams that are cut in the middle.
#include <algorithm>
#include <functional>

#include "core/limits.h"
#include "os/client_loop.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/selftest_calls.h"
#include "os/value_file.h"

namespace statefs::selftest {
namespace {

// A value in memory that knows from where on it was read.
class WatchedValue final : public ValueSource {
 public:
  explicit WatchedValue(ByteView value) : value_(value) {}
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::uint8_t> into) override {
    if (offset > value_.size() || into.size() > value_.size() - offset) return false;
    lowest_ = std::min(lowest_, offset);
    std::ranges::copy(value_.subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
    return true;
  }
  void forget() { lowest_ = value_.size(); }
  [[nodiscard]] std::uint64_t lowest() const { return lowest_; }

 private:
  ByteView value_;
  std::uint64_t lowest_ = 0;
};

// An upload or a download, as the loop that drives it sees it.
struct Transfer {
  std::string what;
  std::function<void(const SubmitCall&, Now)> step;
  std::function<bool(const Completion&, Now)> take;
  std::function<bool()> done;
  std::function<Time()> deadline;
  std::function<std::uint64_t()> moved;  // bytes that the other side is known to have
  std::function<void()> at_the_cut;
};

// Until it is done; ends the stream once, with what is in flight, when half of the value has come over.
Verdict carry(ClientLoop& loop, Duration patience, std::uint64_t size, const Transfer& transfer) {
  bool cut = false;
  Time give_up = read_monotonic() + patience;
  while (!transfer.done()) {
    const Now now = read_clock();
    transfer.step([&](const RequestBody& request) { return loop.client().submit(request, now.monotonic + patience, now.monotonic); }, now);
    const auto completion = loop.next(earlier_of(give_up, transfer.deadline()) - now.monotonic);
    if (completion) {
      if (!transfer.take(*completion, read_clock())) return Failure{Kind::exactly_once, transfer.what + ": an answer to no call of it"};
      give_up = read_monotonic() + patience;
    } else if (read_monotonic() >= give_up) {
      return Failure{Kind::network, transfer.what + ": no answer in time"};
    }
    if (cut || transfer.moved() < size / 2 || transfer.done()) continue;
    const std::uint64_t ends = loop.link().ends();
    loop.link().close(read_clock());
    if (loop.link().ends() == ends) return Failure{Kind::operation, transfer.what + ": the stream was not cut"};
    transfer.at_the_cut();
    cut = true;
  }
  if (!cut) return Failure{Kind::operation, transfer.what + ": was over before its stream was cut"};
  return std::nullopt;
}

// What the server says to a value that it must not take; nothing of it stays.
void expect_refused(Calls& calls, const UploadPlan& plan, ByteView value, std::string_view what, Status wanted, Kind kind) {
  if (calls.failed()) return;
  WatchedValue source(value);
  const auto upload = calls.stream().put(plan, source, [](std::uint64_t, std::uint64_t) {});
  if (!upload) {
    const Failure why = explain(upload.error());
    return calls.fail(why.kind, std::string(what) + ": " + why.reason);
  }
  if (upload.value().result() != CallResult::answered) return calls.fail(Kind::network, std::string(what) + ": no answer in time");
  if (upload.value().status() != wanted) {
    const Failure why = differs(kind, what, upload.value().status(), wanted);
    calls.fail(why.kind, why.reason);
  }
}

// In, with its stream cut on the way: nobody sees a part of it, and what had been staged is not sent again.
Verdict put_with_a_cut(ClientLoop& loop, Calls& reader, const UploadPlan& plan, ByteView value, Duration patience, MutationResponse& answer) {
  WatchedValue source(value);
  Upload upload(plan);
  std::uint64_t staged_at_cut = 0;
  Transfer transfer;
  transfer.what = "PUT in chunks";
  transfer.step = [&](const SubmitCall& submit, Now now) { upload.step(submit, source, now); };
  transfer.take = [&](const Completion& completion, Now now) { return upload.take(completion, now); };
  transfer.done = [&] { return upload.done(); };
  transfer.deadline = [&] { return upload.deadline(); };
  transfer.moved = [&] { return upload.staged_size(); };
  transfer.at_the_cut = [&] {
    reader.expect_absent(plan.key);
    staged_at_cut = upload.staged_size();
    source.forget();
  };
  if (auto failure = carry(loop, patience, value.size(), transfer)) return failure;
  if (reader.failed()) return reader.verdict();
  if (upload.result() == CallResult::outcome_unknown) return Failure{Kind::exactly_once, "PUT in chunks: outcome unknown"};
  if (upload.result() != CallResult::answered) return Failure{Kind::network, "PUT in chunks: no answer in time"};
  if (upload.status() != Status::ok) return differs(Kind::operation, "PUT in chunks", upload.status(), Status::ok);
  if (source.lowest() < staged_at_cut) return Failure{Kind::operation, "PUT in chunks: what had been staged was sent again"};
  answer = upload.answer();
  return std::nullopt;
}

// Out, with its stream cut on the way: the same bytes, of the revision that PUT answered.
Verdict get_with_a_cut(ClientLoop& loop, const std::string& key, ByteView value, Duration patience, std::uint64_t revision) {
  MemoryOutput sink;
  Download download(key);
  Transfer transfer;
  transfer.what = "GET in ranges";
  transfer.step = [&](const SubmitCall& submit, Now now) { download.step(submit, now); };
  transfer.take = [&](const Completion& completion, Now now) { return download.take(completion, sink, now); };
  transfer.done = [&] { return download.done(); };
  transfer.deadline = [&] { return download.deadline(); };
  transfer.moved = [&] { return download.written_size(); };
  transfer.at_the_cut = [] {};
  if (auto failure = carry(loop, patience, value.size(), transfer)) return failure;
  if (download.result() != CallResult::answered) return Failure{Kind::network, "GET in ranges: no answer in time"};
  if (download.status() != Status::ok) return differs(Kind::operation, "GET in ranges", download.status(), Status::ok);
  if (!std::ranges::equal(sink.bytes, value)) return Failure{Kind::operation, "GET in ranges: another value than was put"};
  if (download.revision() != revision) return Failure{Kind::operation, "GET in ranges: another revision than PUT answered"};
  return std::nullopt;
}

}  // namespace

Verdict check_chunks(const Subject& subject) {
  Calls calls(subject);
  const std::string key = key_of("chunks");
  calls.expect_absent(key);
  if (calls.failed()) return calls.verdict();
  const std::uint64_t size = calls.stream().server_hello()->total_value_size_max;
  if (size <= limits::value_size_max || size > limits::total_value_size_ceiling) {
    return Failure{Kind::operation, "the server takes no value above one request"};
  }
  Bytes whole(static_cast<std::size_t>(size) + 1);
  fill_random(whole);
  const ByteView value = ByteView(whole).first(static_cast<std::size_t>(size));
  const UploadPlan plan{key, size, Sha256().of(value), 0};
  UploadPlan other = plan;
  other.total_size = whole.size();
  expect_refused(calls, other, whole, "PUT in chunks of a byte too many", Status::value_too_large, Kind::policy);
  other = plan;
  other.key = "/state/sharedx";
  expect_refused(calls, other, value, "PUT in chunks of /state/sharedx", Status::access_denied, Kind::policy);
  other = plan;
  other.digest = Sha256().of(whole);
  expect_refused(calls, other, value, "PUT in chunks of another hash", Status::digest_mismatch, Kind::operation);
  calls.expect_absent(key);
  if (calls.failed()) return calls.verdict();

  const Duration patience{subject.timeout.ns * 4};
  ClientConfig config;
  config.server = subject.server;
  config.connect_timeout = config.handshake_timeout = subject.timeout;
  ClientLoop loop(subject.suite, subject.identity, config, subject.endpoint);
  MutationResponse answer;
  if (auto failure = put_with_a_cut(loop, calls, plan, value, patience, answer)) return failure;
  if (answer.revision == 0 || answer.index == 0) return Failure{Kind::operation, "PUT in chunks: answered without a revision or an audit record"};
  if (auto failure = get_with_a_cut(loop, key, value, patience, answer.revision)) return failure;
  if (loop.client().take_lost()) return Failure{Kind::exactly_once, "a write was reported as lost, and no server has ended"};
  calls.expect_listed(key, answer.revision, size);
  calls.expect(delete_of(key, answer.revision), "DELETE", Status::ok);
  calls.expect_absent(key);
  return calls.verdict();
}

}  // namespace statefs::selftest
