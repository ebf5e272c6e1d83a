// CLIENT LINK: one core client and the socket it is using, moved forward when the socket is ready. It never waits.
//
//   core/client.h <- CLIENT LINK -> socket;   client_stream.h waits with poll(2) for one, bench.h with epoll(7) for many
#pragma once

#include <cstdint>
#include <memory>

#include "core/client.h"
#include "os/endpoint.h"
#include "os/fd.h"

namespace statefs {

// How the latest stream ended, or why there was none.
struct LinkEnd {
  int connect_error = 0;  // an errno: the stream was never there
  Disconnect why = Disconnect::none;
};

class ClientLink {
 public:
  // `suite` outlives the link. Without an identity (null) it is a link to a local door.
  ClientLink(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config, const Endpoint& endpoint,
             Duration connect_timeout);

  [[nodiscard]] Client& client() { return client_; }
  [[nodiscard]] const Client& client() const { return client_; }

  // Opens a stream, if there is none. True where there is a new descriptor to wait for.
  bool open(Now now);
  // Finishes a connect, reads once, lets the client work, and writes what there is.
  void service(bool readable, bool writable, Now now);
  // Lets the client work and writes what there is.
  void flush(Now now);

  // Ends the stream from this side, in the middle of whatever it carries.
  void close(Now now);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool connecting() const { return fd_.valid() && connecting_; }
  [[nodiscard]] bool wants_write() const;
  [[nodiscard]] Time deadline() const;
  [[nodiscard]] std::uint64_t ends() const { return ends_; }  // streams that ended so far
  [[nodiscard]] const LinkEnd& last_end() const { return last_end_; }

 private:
  void end(int connect_error, Now now);
  void read_once(Now now);

  Client client_;
  Endpoint endpoint_;
  Fd fd_;
  bool connecting_ = false;
  std::uint64_t ends_ = 0;
  LinkEnd last_end_;
};

}  // namespace statefs
