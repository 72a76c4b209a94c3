// The one object that a process has of this module, and the way into it. Thread-safe. A child after
// fork finds the module as before C_Initialize (PKCS#11 2.40 6.6.1).
#pragma once

#include "module/refused.hpp"

#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>

namespace demail::module {

class State;

/// C_Initialize and C_Finalize. Throw Refused.
void initialise(const CK_C_INITIALIZE_ARGS *arguments);
void finalise();

/// Keeps the state alive during a call. Throws Refused where there is none.
class Call {
  public:
    Call();
    ~Call();
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    [[nodiscard]] State &state() const noexcept { return *state_; }

  private:
    State *state_;
};

/// Runs a call's body; nothing is thrown beyond this.
template <typename Body>
CK_RV contained(Body body) noexcept {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
            body();
            return CKR_OK;
        } else {
            return body();
        }
    } catch (const Refused &refused) {
        return refused.rv;
    } catch (const std::bad_alloc &) {
        return CKR_HOST_MEMORY;
    } catch (...) {
        return CKR_GENERAL_ERROR;
    }
}

/// The same with the process's state.
template <typename Body>
CK_RV enter(Body body) noexcept {
    return contained([&] {
        const Call call;
        return body(call.state());
    });
}

} // namespace demail::module
