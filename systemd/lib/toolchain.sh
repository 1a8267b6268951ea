# shellcheck shell=bash
# Finds a Swift that is new enough, or else fetches the official one. It needs packages.sh, and lies here for the same reason.

swift_minimum=6.2
swift_pinned=6.3.1
# "Swift 6.x Release Signing Key", as the official container recipes pin it too.
swift_signing_key=52BB7E3DE28A71BE22EC05FFEF80A866B47A981F
swift_keys=https://www.swift.org/keys/all-keys.asc
swift_downloads=https://download.swift.org

# swift_version COMMAND: such as 6.3.1; fails when it does not run.
swift_version() {
    "$1" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | sed -n 1p | grep .
}

is_new_enough() { [ "$(printf '%s\n%s\n' "$swift_minimum" "$1" | sort -V | sed -n 1p)" = "$swift_minimum" ]; }

# swift_home: prints the folder of a fetched toolchain.
swift_home() {
    if is_root; then
        printf '%s\n' "/opt/swift-$swift_pinned"
    else
        printf '%s\n' "${XDG_DATA_HOME:-$HOME/.local/share}/swift-$swift_pinned"
    fi
}

# find_swift: sets `swift` to a command that is new enough, or returns 1. sudo may have shortened PATH, so it looks into the
# usual folders too.
find_swift() {
    local candidate version
    for candidate in "$(command -v swift || true)" "$(swift_home)/usr/bin/swift" "/opt/swift-$swift_pinned/usr/bin/swift" \
        /opt/swift/usr/bin/swift /usr/libexec/swift/bin/swift; do
        [ -x "$candidate" ] || continue
        version=$(swift_version "$candidate") || continue
        if is_new_enough "$version"; then
            # shellcheck disable=SC2034 # for whoever sources this
            swift=$candidate
            return 0
        fi
    done
    return 1
}

# provide_swift: finds Swift, or installs the distribution's or the official one. It ends the script when all of this fails.
provide_swift() {
    # The distribution's Swift depends on all that it needs. Any other needs packages without which it may not even start.
    if ! find_swift; then install_distribution_swift || true; fi
    if find_swift && [[ $swift == /usr/bin/* ]]; then return 0; fi
    install_packages swift
    find_swift && return 0
    fetch_swift
    find_swift || die "the fetched Swift does not run: $(swift_home)/usr/bin/swift" \
        "run it by hand and see what is missing; add a missing library to systemd/packages.txt"
}

install_distribution_swift() {
    local version log
    command -v apt-cache >/dev/null || return 1
    version=$(apt-cache policy swiftlang 2>/dev/null | sed -n 's/^  Candidate: \([0-9][0-9.]*\).*/\1/p')
    [ -n "$version" ] && is_new_enough "$version" && may_become_root || return 1
    say "installing Swift $version, the distribution's"
    log=$(mktemp)
    apt_get "$log" install -y swiftlang || die_of_apt "$log" "apt-get could not install swiftlang" "run: apt-get install swiftlang"
    rm -f "$log"
}

# swift_platform: prints the name of this system in the addresses of Swift's downloads.
swift_platform() {
    local ID='' VERSION_ID=''
    # shellcheck disable=SC1091
    [ ! -r /etc/os-release ] || . /etc/os-release
    case "$ID-$VERSION_ID" in
        debian-12 | debian-13 | ubuntu-22.04 | ubuntu-24.04) printf '%s%s\n' "$ID" "$VERSION_ID" ;;
        *) return 1 ;;
    esac
}

fetch_swift() {
    local platform architecture name url folder home
    local by_hand="install Swift $swift_minimum or newer from https://www.swift.org/install/linux/ so that \`swift\` is in PATH; then run this again"
    platform=$(swift_platform) || die "no official Swift is known for this distribution" "$by_hand"
    # Debian 13 runs the toolchain for Debian 12.
    [ "$platform" != debian13 ] || platform=debian12
    case "$(dpkg --print-architecture)" in
        amd64) architecture= ;;
        arm64) architecture=-aarch64 ;;
        *) die "no official Swift is known for $(dpkg --print-architecture)" "$by_hand" ;;
    esac
    install_packages fetch
    name=swift-$swift_pinned-RELEASE
    url=$swift_downloads/swift-$swift_pinned-release/${platform/./}$architecture/$name/$name-$platform$architecture.tar.gz
    home=$(swift_home)
    folder=$(mktemp -d)
    say "fetching Swift $swift_pinned (about 1 GB) for $platform"
    if ! download "$folder/swift.sig" "$url.sig" || ! download "$folder/keys.asc" "$swift_keys" ||
        ! download "$folder/swift.tar.gz" "$url"; then
        rm -rf "$folder"
        die "Swift is missing or older than $swift_minimum, and $swift_downloads cannot be reached" "$by_hand"
    fi
    if ! is_signed_by_swift "$folder"; then
        rm -rf "$folder"
        die "the fetched Swift is not signed by its release key $swift_signing_key; nothing was installed" "$by_hand"
    fi
    mkdir -p "$home"
    tar -xzf "$folder/swift.tar.gz" -C "$home" --strip-components=1
    rm -rf "$folder"
}

download() { curl -fsSL --retry 2 --connect-timeout 20 -o "$1" "$2"; }

# is_signed_by_swift FOLDER: swift.sig is the signature of swift.tar.gz by the pinned key. The key is selected from keys.asc by
# its pinned fingerprint, so whoever serves both files cannot use a key of their own.
is_signed_by_swift() {
    local GNUPGHOME=$1/gnupg
    export GNUPGHOME
    mkdir -m 700 "$GNUPGHOME"
    gpg --batch --quiet --import "$1/keys.asc" 2>/dev/null || true
    gpg --batch --status-fd 1 --verify "$1/swift.sig" "$1/swift.tar.gz" 2>/dev/null |
        awk -v key="$swift_signing_key" '$2 == "VALIDSIG" && ($3 == key || $NF == key) { good = 1 } END { exit !good }'
}
