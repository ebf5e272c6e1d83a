#include "os/client_stream.h"

#include <poll.h>

#include "os/clock.h"

namespace statefs {

ClientStream::ClientStream(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config,
                           const Endpoint& endpoint, Duration timeout)
    : link_(suite, std::move(identity), config, endpoint, timeout), timeout_(timeout) {}

Result<Completion, StreamFailure> ClientStream::call(const RequestBody& request) {
  // Connected first, so that a server that cannot be used is told apart from a call that was not answered.
  if (auto connected = connect(); !connected) return connected.error();
  const Time deadline = read_monotonic() + timeout_;
  for (;;) {
    auto done = call_once(request, deadline);
    if (!done || done.value().result != CallResult::answered || done.value().response.status != Status::overloaded) return done;
    const Time again = read_monotonic() + milliseconds(retry_after_ms_of(done.value().response));
    if (again >= deadline) return done;
    wait_until(again);
  }
}

void ClientStream::wait_until(Time moment) {
  while (read_monotonic() < moment) wait_once(moment);
}

Result<Completion, StreamFailure> ClientStream::call_once(const RequestBody& request, Time deadline) {
  const auto call = link_.client().submit(request, deadline, read_monotonic());
  if (!call) return StreamFailure::too_large;
  for (;;) {
    link_.flush(read_clock());
    if (auto completion = link_.client().take_completion()) return std::move(*completion);
    if (const auto failure = hopeless()) {
      // The deadline of the call settles it; with nothing to wait for there is no reason to wait until then.
      link_.client().advance({deadline, 0});
      if (auto completion = link_.client().take_completion()) return std::move(*completion);
      return *failure;
    }
    wait_once(deadline);
  }
}

Result<Upload, StreamFailure> ClientStream::put(UploadPlan plan, ValueSource& source, const Progress& progress) {
  const std::uint64_t total = plan.total_size;
  Upload upload(std::move(plan));
  const auto carried = carry_out({[&](const SubmitCall& submit, Now now) { upload.step(submit, source, now); },
                                  [&](const Completion& completion, Now now) {
                                    (void)upload.take(completion, now);
                                    progress(upload.staged_size(), total);
                                  },
                                  [&] { return upload.done(); }, [&] { return upload.deadline(); }});
  if (!carried) return carried.error();
  return upload;
}

Result<Download, StreamFailure> ClientStream::get(const std::string& key, ValueSink& sink, const Progress& progress) {
  Download download(key);
  const auto carried = carry_out({[&](const SubmitCall& submit, Now now) { download.step(submit, now); },
                                  [&](const Completion& completion, Now now) {
                                    (void)download.take(completion, sink, now);
                                    progress(download.written_size(), download.total_size());
                                  },
                                  [&] { return download.done(); }, [&] { return download.deadline(); }});
  if (!carried) return carried.error();
  return download;
}

Result<Unit, StreamFailure> ClientStream::carry_out(const Transfer& transfer) {
  if (auto connected = connect(); !connected) return connected.error();
  while (!transfer.done()) {
    const Now now = read_clock();
    const Time due = now.monotonic + timeout_;
    transfer.step([&](const RequestBody& request) { return link_.client().submit(request, due, now.monotonic); }, now);
    link_.flush(now);
    bool moved = false;
    while (auto completion = link_.client().take_completion()) {
      transfer.take(*completion, now);
      moved = true;
    }
    if (moved) continue;
    if (const auto failure = hopeless()) {
      // As in call(): what is on its way is settled by its deadline, and there is no reason to wait for that.
      link_.client().advance({now.monotonic + timeout_, now.wall_ns});
      while (auto completion = link_.client().take_completion()) transfer.take(*completion, now);
      if (!transfer.done()) return *failure;
      return Unit{};
    }
    wait_once(earlier_of(now.monotonic + timeout_, transfer.deadline()));
  }
  return Unit{};
}

Result<Unit, StreamFailure> ClientStream::connect() {
  if (was_ready_) return Unit{};  // a stream that breaks later is opened again for the call that needs it
  const Time deadline = read_monotonic() + timeout_;
  while (!link_.client().ready()) {
    if (const auto failure = hopeless()) return *failure;
    if (read_monotonic() >= deadline) return StreamFailure::timed_out;
    wait_once(deadline);
  }
  was_ready_ = true;
  return Unit{};
}

std::optional<StreamFailure> ClientStream::hopeless() const {
  if (link_.ends() == 0 || link_.fd() >= 0) return std::nullopt;
  switch (link_.last_end().why) {
    case Disconnect::none:
    case Disconnect::stream_ended:
      return std::nullopt;
    case Disconnect::no_stream:
      // A server that was there a moment ago may be starting again.
      return was_ready_ ? std::nullopt : std::optional(StreamFailure::unreachable);
    case Disconnect::handshake_ended:
      return StreamFailure::not_accepted;
    case Disconnect::not_admitted:
      return StreamFailure::not_enrolled;
    case Disconnect::refused_version:
      return StreamFailure::version;
    case Disconnect::store_refused:
      return StreamFailure::store_refused;
    case Disconnect::handshake_failed:
      return StreamFailure::wrong_server;
    case Disconnect::protocol_error:
      return StreamFailure::bad_server;
    case Disconnect::damaged:
      // What was damaged once may come through whole the next time.
      return was_ready_ ? std::nullopt : std::optional(StreamFailure::bad_server);
    case Disconnect::timed_out:
      return was_ready_ ? std::nullopt : std::optional(StreamFailure::timed_out);
  }
  return std::nullopt;
}

void ClientStream::wait_once(Time deadline) {
  constexpr Duration nap = milliseconds(50);  // at most, between streams
  Now now = read_clock();
  // The first stream is wanted before there is a call; the client itself says when it wants the next one.
  if (link_.ends() == 0 || link_.client().wants_connection(now.monotonic)) link_.open(now);
  const bool waiting = link_.fd() >= 0;
  deadline = earlier_of(deadline, link_.deadline());
  if (!waiting) deadline = earlier_of(deadline, now.monotonic + nap);
  pollfd watched{link_.fd(), static_cast<short>(POLLIN | (link_.wants_write() ? POLLOUT : 0)), 0};
  const int count = ::poll(&watched, waiting ? 1 : 0, poll_timeout_ms(deadline, now.monotonic));
  now = read_clock();
  const int events = count > 0 ? watched.revents : 0;
  link_.service((events & (POLLIN | POLLHUP | POLLERR)) != 0, (events & POLLOUT) != 0, now);
}

}  // namespace statefs
