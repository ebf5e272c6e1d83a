#include "core/connection.h"

#include <utility>

#include "core/check.h"

namespace statefs {

void Connection::opening(Now now) {
  STATEFS_CHECK(phase_ == Phase::offline);
  phase_ = Phase::connecting;
  connected_at_ = now.monotonic;
}

void Connection::opened(Transport transport, Now now) {
  STATEFS_CHECK(phase_ == Phase::offline || phase_ == Phase::connecting);
  transport_ = std::move(transport);
  phase_ = transport_->established() ? Phase::greeting : Phase::handshake;
  reason_ = Disconnect::none;
  connected_at_ = received_at_ = sent_at_ = now.monotonic;
  send_handshake();
  if (transport_->dead()) finish(Disconnect::handshake_failed);  // the server's key is no point of the curve's large group
}

void Connection::finish(Disconnect why) {
  phase_ = Phase::finished;
  reason_ = why;
  mark(why, marks_);
  heard_.clear();
  output_.drop();
}

void Connection::ended() {
  switch (phase_) {
    case Phase::offline:
    case Phase::connecting: reason_ = Disconnect::no_stream; break;
    case Phase::handshake: reason_ = Disconnect::handshake_ended; break;
    case Phase::greeting: reason_ = Disconnect::not_admitted; break;
    case Phase::ready: reason_ = Disconnect::stream_ended; break;
    case Phase::finished: break;
  }
  if (phase_ != Phase::finished) mark(reason_, marks_);
  phase_ = Phase::offline;
  transport_.reset();
  heard_.clear();
  said_.clear();
  output_.drop();
}

void Connection::send_handshake() {
  const Bytes message = transport_->take_handshake_output();
  Bytes& out = output_.room_for(message.size(), message.size());
  out.insert(out.end(), message.begin(), message.end());
}

bool Connection::receive(ByteView& bytes, Now now) {
  const ChannelEvent event = transport_->receive(bytes, heard_);
  // Only a whole message that authenticates is a sign of life: bytes can come from anybody on the path.
  if (event != ChannelEvent::need_more) received_at_ = now.monotonic;
  switch (event) {
    case ChannelEvent::need_more:
    case ChannelEvent::keepalive: return false;
    case ChannelEvent::handshake_step:
    case ChannelEvent::established:
      send_handshake();
      if (!transport_->established()) return false;
      phase_ = Phase::greeting;
      return true;
    case ChannelEvent::plaintext: return true;
    case ChannelEvent::handshake_failed: finish(Disconnect::handshake_failed); return false;
    case ChannelEvent::damaged:
    case ChannelEvent::exhausted: finish(Disconnect::damaged); return false;
  }
  STATEFS_CHECK(false);
}

void Connection::seal(Now now) {
  bool sealed = true;
  if (!said_.empty()) {
    sealed = transport_->seal(said_, output_.room_for(said_.size(), limits::output_size_max));
    said_.clear();
    sent_at_ = now.monotonic;
  } else if (has_keepalives() && now.monotonic >= sent_at_ + times_.keepalive_interval) {
    STATEFS_MARK("client.keepalive");
    sealed = transport_->seal_keepalive(output_.room_for(0, 0));
    sent_at_ = now.monotonic;
  }
  if (!sealed) finish(Disconnect::stream_ended);
}

bool Connection::overdue(Now now) {
  if (now.monotonic < dead_at()) return false;
  finish(phase_ == Phase::connecting ? Disconnect::no_stream : Disconnect::timed_out);
  return true;
}

Time Connection::dead_at() const {
  switch (phase_) {
    case Phase::connecting: return connected_at_ + times_.connect_timeout;
    case Phase::handshake:
    case Phase::greeting: return connected_at_ + times_.handshake_timeout;
    case Phase::ready: return transport_->has_keepalives() ? received_at_ + times_.dead_peer_timeout : never;
    case Phase::offline:
    case Phase::finished: return never;
  }
  return never;
}

Time Connection::deadline() const {
  return has_keepalives() ? earlier_of(dead_at(), sent_at_ + times_.keepalive_interval) : dead_at();
}

}  // namespace statefs
