<?php

declare(strict_types=1);

namespace Fernhill\RedirectKeeper\Model;

/**
 * Where a visitor of a deleted page is best sent.
 */
class Destination
{
    public function __construct(
        private readonly Addresses $addresses,
        private readonly Settings $settings
    ) {
    }

    /**
     * The address of the deepest of these categories; else the home page if the shop wants that.
     *
     * @param int[] $categoryIds
     * @return string|null a path below the store's base address ("" is the home page); null: nowhere
     */
    public function amongCategories(array $categoryIds, int $storeId): ?string
    {
        $deepest = null;
        foreach ($this->addresses->ofCategories($categoryIds, $storeId) as $address) {
            $path = (string)$address->getRequestPath();
            if ($deepest === null || substr_count($path, '/') > substr_count($deepest, '/')) {
                $deepest = $path;
            }
        }
        return $deepest ?? ($this->settings->fallsBackToHome($storeId) ? '' : null);
    }
}
